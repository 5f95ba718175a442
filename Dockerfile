# One image for gateway and node. The base is pinned, and can be replaced, as by a newer one: --build-arg BASE=debian:trixie-slim
ARG BASE=
FROM ${BASE:-debian:trixie-slim@sha256:a29215f6a35e51e22adffa17f89e9d2ef06214e64a2bad10d765c46aea49f11f} AS base

FROM base AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates cmake g++ git make maven nodejs npm \
        openjdk-21-jdk-headless python3 python3-pip \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# The launcher builds what is missing, here as on any machine.
RUN CHASQUI_HOME=/tmp/home ./chasqui --version
# GPU libraries to put into the image, such as cuda13: npm and pip are here, and not where it runs.
ARG LIBRARIES=
RUN mkdir libraries \
    && for library in ${LIBRARIES}; do CHASQUI_HOME=/tmp/home ./chasqui backend fetch "$library" --to libraries || exit; done

FROM base
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libstdc++6 openjdk-21-jre-headless \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 chasqui \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/chasqui chasqui \
    && install -d -o chasqui -g chasqui /var/lib/chasqui /var/lib/chasqui/models
COPY --from=build /src/chasqui /src/deploy/docker/healthy /opt/chasqui/
COPY --from=build /src/cli/target/chasqui-cli.jar /opt/chasqui/cli/target/
COPY --from=build /src/cli/target/lib /opt/chasqui/cli/target/lib
COPY --from=build /src/libraries /opt/chasqui/libraries
COPY --from=build /src/LICENSE /src/THIRD-PARTY-NOTICES.md /opt/chasqui/
ENV CHASQUI_BUILD=never CHASQUI_HOME=/var/lib/chasqui CHASQUI_LIBRARIES=/opt/chasqui/libraries
# Prepares fast starts, as nothing can be written beside the program later.
RUN export CHASQUI_HOME=/tmp/home \
    && /opt/chasqui/chasqui --version \
    && rm -rf /tmp/home
USER 10001:10001
EXPOSE 8080 9090
ENTRYPOINT ["/opt/chasqui/chasqui"]
CMD ["serve"]

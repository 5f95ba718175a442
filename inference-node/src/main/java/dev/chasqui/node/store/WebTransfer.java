package dev.chasqui.node.store;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fetches a file over HTTP: redirects are followed by hand so that each address passes {@link AddressRules}; a broken
 * connection goes on where it stopped as long as the server still has the same version.
 */
final class WebTransfer {
    private static final Logger log = LoggerFactory.getLogger(WebTransfer.class);
    private static final int MAX_REDIRECTS = 10;
    /** Tries in a row that brought no byte; with the pauses between them some 13 seconds. */
    private static final int MAX_VAIN_TRIES = 8;

    private static final int MAX_TRIES = 500;
    private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (?:(\\d{1,18})-\\d{1,18}|\\*)/(\\d{1,18}|\\*)");

    private static final Pattern LINKED_SHA256 = Pattern.compile("\"?([0-9a-fA-F]{64})\"?");
    private static final Pattern LINKED_SIZE = Pattern.compile("[1-9]\\d{0,17}");

    private final StoreSettings settings;
    private final AddressRules rules;
    private final HttpClient client;

    WebTransfer(StoreSettings settings) {
        this.settings = settings;
        rules = new AddressRules(settings);
        Executor daemons = task -> {
            Thread thread = new Thread(task, "chasqui-download-io");
            thread.setDaemon(true);
            thread.start();
        };
        client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(settings.connectTimeout())
                .executor(daemons)
                .build();
    }

    /** Where the hub has a file. */
    URI address(ModelSource.Hub source) {
        String endpoint = settings.hubEndpoint().toString();
        String base = endpoint.endsWith("/") ? endpoint.substring(0, endpoint.length() - 1) : endpoint;
        String path = Arrays.stream(source.path().split("/"))
                .map(part -> URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20"))
                .collect(Collectors.joining("/"));
        return URI.create(base + "/" + source.repository() + "/resolve/" + source.revision() + "/" + path);
    }

    /**
     * Brings the whole file; returns when the last byte is in {@code out}.
     *
     * @throws StoreException NOT_FOUND or UNREACHABLE where this source does not have it for us, or one of {@code out}'s
     */
    void fetch(URI address, String source, PartialFile out) throws IOException, InterruptedException {
        int vainTries = 0;
        long most = -1;
        for (int tries = 1; ; tries++) {
            try {
                tryOnce(address, source, out);
                return;
            } catch (BrokenTransfer e) {
                vainTries = out.length() > most ? 1 : vainTries + 1;
                most = Math.max(most, out.length());
                if (vainTries >= MAX_VAIN_TRIES || tries >= MAX_TRIES) {
                    throw new StoreException(StoreException.Reason.UNREACHABLE, e.how, e);
                }
                log.debug("{}: {} after {} bytes; trying again", source, e.how, out.length());
                Thread.sleep(Math.min(
                        100L << (vainTries - 1), settings.stallTimeout().toMillis()));
            }
        }
    }

    /** The answer had begun, so that another try has a chance. */
    private static final class BrokenTransfer extends Exception {
        private static final long serialVersionUID = 1L;

        private final String how;

        BrokenTransfer(String how) {
            super(how);
            this.how = how;
        }
    }

    private void tryOnce(URI address, String source, PartialFile out)
            throws IOException, InterruptedException, BrokenTransfer {
        String mark = out.resume(source);
        boolean wasUnderWay = out.length() > 0;
        HttpResponse<Flow.Publisher<List<ByteBuffer>>> response;
        try {
            response = follow(address, mark, out);
        } catch (StoreException e) {
            if (wasUnderWay && e.reason() == StoreException.Reason.UNREACHABLE) {
                throw new BrokenTransfer(e.sentence());
            }
            throw e;
        }
        BodyReader body = new BodyReader(settings.stallTimeout());
        try {
            if (begin(response, source, out)) {
                response.body().subscribe(body);
                body.drainTo(out);
            }
        } catch (BodyReader.Broken e) {
            throw new BrokenTransfer(e.how());
        } finally {
            body.cancel(response.body());
        }
    }

    /** Takes in the head of an answer; false where the file was complete already. */
    private boolean begin(HttpResponse<?> response, String source, PartialFile out) throws IOException, BrokenTransfer {
        String mark = response.headers()
                .firstValue("ETag")
                .filter(tag -> !tag.startsWith("W/"))
                .orElse(null);
        switch (response.statusCode()) {
            case 200 -> {
                if (out.length() > 0) {
                    out.restart();
                }
                out.expect(
                        source,
                        response.headers().firstValueAsLong("Content-Length").orElse(0),
                        mark);
                return true;
            }
            case 206 -> {
                Range range = Range.of(response);
                if (range == null || range.start() != out.length()) {
                    out.restart();
                    throw new BrokenTransfer("the server sent another part than asked for");
                }
                out.expect(source, range.total(), mark);
                return true;
            }
            case 416 -> {
                Range range = Range.of(response);
                if (range != null && range.total() == out.length() && out.length() > 0) {
                    out.expect(source, range.total(), mark);
                    return false;
                }
                out.restart();
                throw new BrokenTransfer("the server does not have the rest of what came before");
            }
            default -> throw refusal(response);
        }
    }

    /** What a Content-Range says; {@code start} is -1 and {@code total} 0 where it does not. */
    private record Range(long start, long total) {
        static @Nullable Range of(HttpResponse<?> response) {
            Matcher m = CONTENT_RANGE.matcher(
                    response.headers().firstValue("Content-Range").orElse(""));
            if (!m.matches()) {
                return null;
            }
            long start = m.group(1) == null ? -1 : Long.parseLong(m.group(1));
            return new Range(start, m.group(2).equals("*") ? 0 : Long.parseLong(m.group(2)));
        }
    }

    private static StoreException refusal(HttpResponse<?> response) {
        int status = response.statusCode();
        String host = response.uri().getHost();
        return switch (status) {
            case 401, 403 ->
                new StoreException(
                        StoreException.Reason.UNREACHABLE,
                        host + " answered " + status
                                + " (the file may need a licence to be accepted there, and HF_TOKEN)");
            case 404, 410 ->
                new StoreException(StoreException.Reason.NOT_FOUND, host + " has no such file (" + status + ")");
            default -> new StoreException(StoreException.Reason.UNREACHABLE, host + " answered " + status);
        };
    }

    private HttpResponse<Flow.Publisher<List<ByteBuffer>>> follow(URI address, @Nullable String mark, PartialFile out)
            throws InterruptedException {
        URI at = address;
        for (int hops = 0; hops <= MAX_REDIRECTS; hops++) {
            rules.check(at);
            HttpResponse<Flow.Publisher<List<ByteBuffer>>> response = send(request(at, mark, out.length()));
            if (isHub(at)) {
                takeIn(response, out);
            }
            if (!List.of(301, 302, 303, 307, 308).contains(response.statusCode())) {
                return response;
            }
            new BodyReader(settings.stallTimeout()).cancel(response.body());
            at = target(at, response);
        }
        throw new StoreException(
                StoreException.Reason.UNREACHABLE,
                address.getHost() + " redirects more than " + MAX_REDIRECTS + " times");
    }

    /** The hub itself says what a file is, whichever storage it sends there for. */
    private static void takeIn(HttpResponse<?> response, PartialFile out) {
        Matcher sha256 = LINKED_SHA256.matcher(
                response.headers().firstValue("X-Linked-Etag").orElse(""));
        Matcher size = LINKED_SIZE.matcher(
                response.headers().firstValue("X-Linked-Size").orElse(""));
        out.published(
                size.matches() ? Long.valueOf(size.group()) : null,
                sha256.matches() ? sha256.group(1).toLowerCase(Locale.ROOT) : null);
    }

    private boolean isHub(URI at) {
        return AddressRules.origin(at).equals(AddressRules.origin(settings.hubEndpoint()));
    }

    private static URI target(URI at, HttpResponse<?> response) {
        String location = response.headers().firstValue("Location").orElse("");
        try {
            if (!location.isEmpty()) {
                return at.resolve(location);
            }
        } catch (IllegalArgumentException e) {
            log.debug("{} redirects to no address", at.getHost());
        }
        throw new StoreException(StoreException.Reason.UNREACHABLE, at.getHost() + " redirects to nowhere");
    }

    private HttpRequest request(URI at, @Nullable String mark, long from) {
        HttpRequest.Builder request = HttpRequest.newBuilder(at).header("User-Agent", "chasqui");
        if (mark != null && from > 0) {
            request.header("Range", "bytes=" + from + "-").header("If-Range", mark);
        }
        String token = isHub(at) && "https".equalsIgnoreCase(at.getScheme()) ? settings.usableToken() : null;
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        return request.build();
    }

    private HttpResponse<Flow.Publisher<List<ByteBuffer>>> send(HttpRequest request) throws InterruptedException {
        String host = request.uri().getHost();
        Duration patience = settings.connectTimeout().multipliedBy(2);
        CompletableFuture<HttpResponse<Flow.Publisher<List<ByteBuffer>>>> answer =
                client.sendAsync(request, BodyHandlers.ofPublisher());
        try {
            return answer.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            answer.cancel(true);
            throw unreachable(host, "did not answer within " + patience.toSeconds() + " s");
        } catch (InterruptedException e) {
            answer.cancel(true);
            throw e;
        } catch (ExecutionException e) {
            log.debug("{} cannot be asked", host, e.getCause());
            throw unreachable(host, e.getCause() instanceof ConnectException ? "refuses connections" : "broke off");
        }
    }

    private static StoreException unreachable(String host, String how) {
        return new StoreException(StoreException.Reason.UNREACHABLE, host + " " + how);
    }
}

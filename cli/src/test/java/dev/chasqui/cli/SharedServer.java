package dev.chasqui.cli;

import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/** Gives a test the one ready {@link Server} that all classes share; it ends with the last of them. */
final class SharedServer implements ParameterResolver {

    private static final Namespace NAMESPACE = Namespace.create(SharedServer.class);

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext test) {
        return parameter.getParameter().getType() == Server.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext test) {
        // A small model may go on without end, and would keep a slot from all others.
        return test.getRoot()
                .getStore(NAMESPACE)
                .computeIfAbsent(
                        "server",
                        key -> Server.ready(RealModel.HOME, "--parallel", "4", "--max-tokens", "1024"),
                        Server.class);
    }
}

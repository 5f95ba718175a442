package dev.chasqui.gateway.storage;

import io.r2dbc.spi.R2dbcException;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** What is the matter with a database, in one sentence, told from the SQL state. */
final class Problems {
    /** H2's own: the file is locked by another process. */
    private static final String H2_LOCKED = "90020";

    private Problems() {}

    static String sentence(Throwable error) {
        String state = state(error);
        if (state.startsWith("28")) {
            return "The database refuses the user or the password.";
        }
        if (state.equals("3D000")) {
            return "There is no database of that name.";
        }
        if (state.equals("42501")) {
            return "The database's user may not do what is needed.";
        }
        if (state.equals(H2_LOCKED)) {
            return "The file of the database is in use by another process.";
        }
        if (error instanceof org.flywaydb.core.api.FlywayException && state.isEmpty()) {
            return "The database cannot be brought up to date; it may belong to a newer version.";
        }
        return "The database cannot be reached.";
    }

    /** For the log: kinds and states, no texts. */
    static String technical(Throwable error) {
        String state = state(error);
        return error.getClass().getSimpleName() + (state.isEmpty() ? "" : ", SQL state " + state);
    }

    private static String state(Throwable error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            @Nullable String state = null;
            if (cause instanceof SQLException e) {
                state = e.getSQLState();
            } else if (cause instanceof R2dbcException e) {
                state = e.getSqlState();
            }
            if (state != null) {
                return state;
            }
        }
        return "";
    }
}

package dev.chasqui.gateway.storage;

import io.r2dbc.spi.R2dbcException;
import java.sql.SQLException;
import java.util.OptionalLong;
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

    /** For the log: what somebody can do about it; empty where there is no more to say than {@link #sentence}. */
    static String advice(Throwable error, DatabaseAddress address) {
        if (!state(error).equals(H2_LOCKED) || !(address instanceof DatabaseAddress.InFile place)) {
            return "";
        }
        OptionalLong holder = FileLocks.holder(place.whole());
        return " " + (holder.isPresent() ? "Process " + holder.getAsLong() : "Another process") + " has "
                + place.whole()
                + " open, most likely another server with the same CHASQUI_HOME. Chats are answered, but not stored, until it"
                + " ends; --database-url file:PATH gives this server a file of its own, memory: forgets chats at the end.";
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

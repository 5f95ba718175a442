package dev.chasqui.gateway;

import java.io.IOException;
import java.sql.SQLException;

/** The tests' PostgreSQL, for those of other packages. */
public final class EmptiedPostgres {
    private EmptiedPostgres() {}

    /** The address of a database that is empty now. */
    public static String address() throws IOException, SQLException {
        return TestDatabases.postgres();
    }
}

package dev.chasqui.gateway;

/** Stored conversations in a real PostgreSQL. */
class ConversationsOnPostgresTest extends ConversationsContract {
    @Override
    String database() throws Exception {
        return TestDatabases.postgres();
    }
}

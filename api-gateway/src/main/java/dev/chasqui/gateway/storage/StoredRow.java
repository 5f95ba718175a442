package dev.chasqui.gateway.storage;

import io.r2dbc.spi.Row;
import org.jspecify.annotations.Nullable;

/** A row that was read. No column of the schema may be null, and none of a row is. */
public final class StoredRow {
    private final Row row;

    StoredRow(Row row) {
        this.row = row;
    }

    /** A column of text. */
    public String text(String column) {
        return present(column, row.get(column, String.class));
    }

    /** A column of 64 bits. */
    public long number(String column) {
        return present(column, row.get(column, Long.class));
    }

    /** A column of 32 bits. */
    public int count(String column) {
        return present(column, row.get(column, Integer.class));
    }

    private static <T> T present(String column, @Nullable T value) {
        if (value == null) {
            throw new IllegalStateException(column + ": null (expected: a value)");
        }
        return value;
    }
}

package dev.chasqui.cli;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Locale;

/** Why a file cannot be read or written, for a sentence that names it; exceptions themselves often say no more than its path. */
final class Reason {
    private Reason() {}

    static String of(IOException problem) {
        if (problem instanceof NoSuchFileException) {
            return "there is no such folder";
        }
        if (problem instanceof AccessDeniedException) {
            return "permission denied";
        }
        String said = problem instanceof FileSystemException file ? file.getReason() : problem.getMessage();
        return said == null ? problem.getClass().getSimpleName() : said.toLowerCase(Locale.ROOT);
    }
}

package dev.chasqui.node.store;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Locale;

/** What went wrong with a file, in words: Java says some of it by the exception's type alone. */
public final class FileFaults {
    private FileFaults() {}

    /** Whether the disk holds no more. */
    static boolean isFull(IOException e) {
        return reason(e).contains("no space left");
    }

    /** For a sentence that names the file. */
    public static String reason(IOException e) {
        if (e instanceof AccessDeniedException) {
            return "permission denied";
        }
        if (e instanceof NoSuchFileException) {
            return "no such file or folder";
        }
        if (e instanceof NotDirectoryException || e instanceof FileAlreadyExistsException) {
            return "not a folder";
        }
        String reason = e instanceof FileSystemException fault ? fault.getReason() : e.getMessage();
        return reason == null || reason.isBlank() ? e.getClass().getSimpleName() : reason.toLowerCase(Locale.ROOT);
    }
}

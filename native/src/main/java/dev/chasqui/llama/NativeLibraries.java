package dev.chasqui.llama;

import com.sun.jna.Library;
import com.sun.jna.NativeLibrary;
import dev.chasqui.llama.LlamaException.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;

/** The libraries in this jar: which there are, putting them into a folder, and opening them in the right order. */
final class NativeLibraries {
    /** In each platform's folder of the jar: lines of a SHA-256 and a file name, in the order in which to open them. */
    private static final String MANIFEST = "manifest";

    private static final String SHIM = "libchasqui-llama.so";

    /** What ggml's threads do together, as {@code barrier.cpp} and {@code attention.cpp} tell. */
    private static final String THREADS = "libchasqui-threads.so";

    private static final int RTLD_LAZY = 1;
    private static final int RTLD_GLOBAL = 0x100;

    /** JNA closes what nobody holds. */
    private static final List<NativeLibrary> OPENED = new CopyOnWriteArrayList<>();

    private NativeLibraries() {}

    /** Puts this platform's libraries below a folder, unless they are there already and whole. */
    static Path extract(Path cacheDir) {
        String platform = Llama.platform();
        try {
            byte[] manifest = resource(platform, MANIFEST);
            Map<String, String> hashes = parse(manifest);
            Path folder = cacheDir.toAbsolutePath()
                    .normalize()
                    .resolve("llama-" + platform + "-" + sha256(manifest).substring(0, 16));
            if (!isWhole(folder, hashes)) {
                replace(folder, platform, hashes);
            }
            return folder;
        } catch (IOException e) {
            throw new LlamaException(
                    Reason.LOAD_FAILED, "cannot extract the llama.cpp libraries to " + cacheDir + ": " + reason(e), e);
        }
    }

    /** The files of this platform's libraries. */
    static Set<String> names() {
        String platform = Llama.platform();
        try {
            return parse(resource(platform, MANIFEST)).keySet();
        } catch (IOException e) {
            throw new LlamaException(Reason.LOAD_FAILED, "the libraries of this build cannot be read: " + reason(e), e);
        }
    }

    /** The name of a platform's folder in the jar. */
    static String platform(String os, String arch) {
        String cpu = switch (arch) {
            case "amd64", "x86_64" -> "x64";
            case "aarch64", "arm64" -> "arm64";
            default -> "";
        };
        String platform = os.toLowerCase(Locale.ROOT).equals("linux") && !cpu.isEmpty() ? "linux-" + cpu : "";
        if (platform.isEmpty() || NativeLibraries.class.getResource(platform + "/" + MANIFEST) == null) {
            throw new LlamaException(
                    Reason.UNSUPPORTED_PLATFORM,
                    "this build holds no llama.cpp libraries for " + os + " on " + arch
                            + " (build it on such a machine; Linux on x86-64 or arm64)");
        }
        return platform;
    }

    /** Opens all libraries by absolute path, those first that others need, so that no other copy can slip in. */
    static void open(Path folder) {
        String opening = SHIM;
        try {
            for (String name :
                    parse(Files.readAllBytes(folder.resolve(MANIFEST))).keySet()) {
                opening = name;
                if (isOpenedByName(name)) {
                    open(folder.resolve(name), name.equals(THREADS) ? RTLD_LAZY | RTLD_GLOBAL : RTLD_LAZY);
                }
            }
            opening = SHIM;
            Shim.load(folder.resolve(SHIM));
        } catch (UnsatisfiedLinkError e) {
            throw new LlamaException(Reason.LOAD_FAILED, "cannot open " + opening + ": " + e.getMessage(), e);
        } catch (IOException e) {
            throw new LlamaException(Reason.LOAD_FAILED, "cannot open the libraries: " + reason(e), e);
        }
    }

    /** Opens libraries in their order, so that whoever needs one of them by name finds it. They stay open. */
    static void openFirst(List<Path> libraries) {
        for (Path library : libraries) {
            try {
                open(library.toAbsolutePath(), RTLD_LAZY);
            } catch (UnsatisfiedLinkError e) {
                throw new LlamaException(
                        Reason.LOAD_FAILED, "cannot open " + library.getFileName() + ": " + e.getMessage(), e);
            }
        }
    }

    private static void open(Path library, int flags) {
        OPENED.add(NativeLibrary.getInstance(library.toString(), Map.of(Library.OPTION_OPEN_FLAGS, flags)));
    }

    /** ggml itself opens one CPU library, the best for the processor at hand. */
    private static boolean isOpenedByName(String name) {
        return !name.equals(SHIM) && !name.startsWith("libggml-cpu");
    }

    private static Map<String, String> parse(byte[] manifest) {
        Map<String, String> hashes = new LinkedHashMap<>();
        new String(manifest, StandardCharsets.UTF_8).lines().forEach(line -> {
            int space = line.indexOf(' ');
            hashes.put(line.substring(space + 1).strip(), line.substring(0, space));
        });
        return hashes;
    }

    private static boolean isWhole(Path folder, Map<String, String> hashes) throws IOException {
        if (!Files.isRegularFile(folder.resolve(MANIFEST))) {
            return false;
        }
        for (Map.Entry<String, String> entry : hashes.entrySet()) {
            Path file = folder.resolve(entry.getKey());
            if (!Files.isRegularFile(file) || !sha256(Files.readAllBytes(file)).equals(entry.getValue())) {
                return false;
            }
        }
        return true;
    }

    /** Fills a folder beside and renames it, so that no process ever sees half of it. */
    private static void replace(Path folder, String platform, Map<String, String> hashes) throws IOException {
        Files.createDirectories(folder.getParent());
        Path fresh = Files.createTempDirectory(folder.getParent(), ".llama-");
        try {
            for (Map.Entry<String, String> entry : hashes.entrySet()) {
                byte[] bytes = resource(platform, entry.getKey());
                if (!sha256(bytes).equals(entry.getValue())) {
                    throw new IOException(entry.getKey() + " in the jar is damaged");
                }
                Files.write(fresh.resolve(entry.getKey()), bytes);
            }
            Files.write(fresh.resolve(MANIFEST), resource(platform, MANIFEST));
            moveInPlace(fresh, folder, hashes);
        } finally {
            delete(fresh);
        }
    }

    private static void moveInPlace(Path fresh, Path folder, Map<String, String> hashes) throws IOException {
        if (Files.exists(folder) && !isWhole(folder, hashes)) {
            Path old = Files.createTempDirectory(folder.getParent(), ".llama-");
            Files.move(folder, old, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            delete(old);
        }
        try {
            Files.move(fresh, folder, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException e) {
            if (!isWhole(folder, hashes)) { // else another process was quicker
                throw e;
            }
        }
    }

    private static void delete(Path folder) throws IOException {
        if (Files.exists(folder)) {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    private static byte[] resource(String platform, String name) throws IOException {
        try (InputStream in = NativeLibraries.class.getResourceAsStream(platform + "/" + name)) {
            if (in == null) {
                throw new IOException(name + " is missing in the jar");
            }
            return in.readAllBytes();
        }
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private static String reason(IOException e) {
        return e instanceof FileSystemException fse && fse.getReason() != null
                ? fse.getReason()
                : String.valueOf(e.getMessage());
    }
}

package dev.chasqui.llama;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.ptr.IntByReference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What NVIDIA's driver says.
 *
 * @param version of CUDA that it knows at most: 13000 for 13.0
 * @param devices what it has
 */
public record CudaDriver(int version, List<Gpu> devices) {
    private static final int RTLD_LAZY = 1;
    private static final int MAJOR = 75;
    private static final int MINOR = 76;
    private static final int NO_DEVICE = 100;

    /**
     * One GPU.
     *
     * @param name the hardware's name
     * @param capability its compute capability: 90 for 9.0
     */
    public record Gpu(String name, int capability) {}

    public CudaDriver {
        devices = List.copyOf(devices);
    }

    /**
     * Asks a driver.
     *
     * @param library its {@code libcuda.so.1}
     * @throws LlamaException LOAD_FAILED with the reason, also where it has no device
     */
    public static CudaDriver ask(Path library) {
        try {
            Calls driver = new Calls(NativeLibrary.getInstance(
                    library.toAbsolutePath().toString(), Map.of(Library.OPTION_OPEN_FLAGS, RTLD_LAZY)));
            driver.call("cuInit", 0);
            int version = driver.number("cuDriverGetVersion");
            int count = driver.number("cuDeviceGetCount");
            List<Gpu> gpus = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                int device = driver.number("cuDeviceGet", i);
                byte[] name = new byte[256];
                driver.call("cuDeviceGetName", name, name.length, device);
                int major = driver.number("cuDeviceGetAttribute", MAJOR, device);
                int minor = driver.number("cuDeviceGetAttribute", MINOR, device);
                gpus.add(new Gpu(Native.toString(name, "UTF-8"), 10 * major + minor));
            }
            if (gpus.isEmpty()) {
                throw new LlamaException(LlamaException.Reason.LOAD_FAILED, "NVIDIA's driver has no device");
            }
            return new CudaDriver(version, gpus);
        } catch (UnsatisfiedLinkError e) {
            throw new LlamaException(
                    LlamaException.Reason.LOAD_FAILED, "NVIDIA's driver cannot be opened: " + e.getMessage(), e);
        }
    }

    private record Calls(NativeLibrary library) {
        void call(String function, Object... arguments) {
            int code = library.getFunction(function).invokeInt(arguments);
            if (code != 0) {
                throw new LlamaException(
                        LlamaException.Reason.LOAD_FAILED,
                        code == NO_DEVICE
                                ? "NVIDIA's driver has no device"
                                : "NVIDIA's driver refuses " + function + " with error " + code);
            }
        }

        /** Of a function that writes a number to its first argument. */
        int number(String function, Object... arguments) {
            IntByReference out = new IntByReference();
            Object[] all = new Object[arguments.length + 1];
            all[0] = out;
            System.arraycopy(arguments, 0, all, 1, arguments.length);
            call(function, all);
            return out.getValue();
        }
    }
}

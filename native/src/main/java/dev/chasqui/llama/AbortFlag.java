package dev.chasqui.llama;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** An int32 that native code reads while it computes: not 0 ends the computing soon. Any thread may set it. */
final class AbortFlag {
    private static final VarHandle FLAG = MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.nativeOrder());

    private final ByteBuffer flag = ByteBuffer.allocateDirect(Integer.BYTES).order(ByteOrder.nativeOrder());

    /** Where it is, as long as this object is reachable. */
    long address() {
        return Pointer.nativeValue(Native.getDirectBufferPointer(flag));
    }

    void set(boolean abort) {
        FLAG.setVolatile(flag, 0, abort ? 1 : 0);
    }
}

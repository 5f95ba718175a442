package dev.chasqui.node.store;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;

/**
 * Little-endian values from a file's channel, front to back, never past its end and never more memory than a small buffer and
 * one short text. Not thread-safe.
 */
final class GgufInput {
    static final int BUFFER_BYTES = 1 << 16;

    private final SeekableByteChannel channel;
    private final long length;
    private final ByteBuffer buffer;
    /** Where in the file the buffer ends. */
    private long bufferEnd;

    GgufInput(SeekableByteChannel channel) throws IOException {
        this.channel = channel;
        length = channel.size();
        buffer = ByteBuffer.allocate((int) Math.min(BUFFER_BYTES, length))
                .order(ByteOrder.LITTLE_ENDIAN)
                .limit(0);
    }

    long length() {
        return length;
    }

    long position() {
        return bufferEnd - buffer.remaining();
    }

    long remaining() {
        return length - position();
    }

    int u8() throws IOException {
        return need(1).get() & 0xff;
    }

    int u16() throws IOException {
        return need(2).getShort() & 0xffff;
    }

    int i32() throws IOException {
        return need(4).getInt();
    }

    long u32() throws IOException {
        return i32() & 0xffff_ffffL;
    }

    long i64() throws IOException {
        return need(8).getLong();
    }

    /** A count or length; a value above 2^63 - 1 comes out as that, which no file can hold. */
    long u64() throws IOException {
        long value = i64();
        return value < 0 ? Long.MAX_VALUE : value;
    }

    /** Text of a length that the caller has held against {@link #remaining()} and a bound of his own. */
    String text(int bytes) throws IOException {
        byte[] value = new byte[bytes];
        for (int done = 0; done < bytes; ) {
            need(1);
            int part = Math.min(bytes - done, buffer.remaining());
            buffer.get(value, done, part);
            done += part;
        }
        return new String(value, StandardCharsets.UTF_8);
    }

    /** A 64-bit hash of the next bytes up to a NUL, which ends a text for native code; 0 where that is empty. */
    long textHash(long bytes) throws IOException {
        long hash = 0xcbf29ce484222325L;
        long done = 0;
        for (; done < bytes; done++) {
            int next = u8();
            if (next == 0) {
                break;
            }
            hash = (hash ^ next) * 0x100000001b3L;
        }
        skip(Math.max(0, bytes - done - 1));
        return done == 0 ? 0 : hash;
    }

    void skip(long bytes) throws IOException {
        if (bytes < 0 || bytes > remaining()) {
            throw new EOFException();
        }
        if (bytes <= buffer.remaining()) {
            buffer.position(buffer.position() + (int) bytes);
            return;
        }
        bufferEnd = position() + bytes;
        buffer.position(0).limit(0);
    }

    private ByteBuffer need(int bytes) throws IOException {
        if (buffer.remaining() < bytes) {
            fill(bytes);
        }
        return buffer;
    }

    private void fill(int bytes) throws IOException {
        if (remaining() < bytes) {
            throw new EOFException();
        }
        buffer.compact();
        channel.position(bufferEnd);
        while (buffer.position() < bytes) {
            int read = channel.read(buffer);
            if (read < 0) {
                throw new EOFException();
            }
            bufferEnd += read;
        }
        buffer.flip();
    }
}

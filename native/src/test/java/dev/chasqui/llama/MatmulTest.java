package dev.chasqui.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Weights of types Q4_1 and Q8_0 times tokens, as {@code matmul.cpp} computes it, against the formula in double precision. */
class MatmulTest {
    private static final int F32 = 0;
    private static final int BLOCK = 32;

    /** A type of weights, and of the tokens that meet them; by ggml's numbers, with the bytes of a block. */
    private enum Type {
        Q4_1(3, 20, 9, 36),
        Q8_0(8, 34, 8, 34);

        final int weights;
        final int weightBytes;
        final int tokens;
        final int tokenBytes;

        Type(int weights, int weightBytes, int tokens, int tokenBytes) {
            this.weights = weights;
            this.weightBytes = weightBytes;
            this.tokens = tokens;
            this.tokenBytes = tokenBytes;
        }
    }

    @BeforeAll
    static void open() {
        Tiny.model(TinyGguf.Options.DEFAULT).close();
        assumeTrue(call("cq_matmul_can") == 1, "this processor has no AVX-512 with VNNI, so ggml's own kernel is used");
    }

    private static int call(String name, Object... arguments) {
        return function(name).invokeInt(arguments);
    }

    private static Function function(String name) {
        return NativeLibrary.getProcess().getFunction(name);
    }

    @ParameterizedTest
    @CsvSource({
        "1, 1, 1, 1",
        "4, 4, 16, 1",
        "5, 3, 17, 2",
        "3, 2, 2, 2",
        "17, 7, 18, 3",
        "64, 1, 48, 2",
        "30, 150, 40, 2",
        "2, 9, 5, 7",
        "7, 5, 15, 2",
    })
    void isWhatTheFormulaSays(int rows, int tokens, int blocks, int threads) {
        for (Type type : Type.values()) {
            Random random = new Random(rows * 31L + tokens);
            Matrix weights = Matrix.weights(type, rows, blocks, random);
            Matrix asked = Matrix.tokens(type, tokens, blocks, random);
            int stride = rows + 3;
            Memory answer = new Memory(4L * stride * tokens);
            answer.setMemory(0, answer.size(), (byte) 0x7f);

            for (int thread = 0; thread < threads; thread++) {
                assertThat(multiply(thread, threads, weights, asked, answer, stride))
                        .isTrue();
            }

            for (int token = 0; token < tokens; token++) {
                for (int row = 0; row < rows; row++) {
                    double expected = weights.times(row, asked, token);
                    float seen = answer.getFloat(4L * (token * stride + row));
                    assertThat((double) seen)
                            .as("%s", type)
                            .isCloseTo(expected, within(1e-6 * magnitude(type, blocks)));
                }
                for (int beyond = rows; beyond < stride; beyond++) {
                    assertThat(answer.getInt(4L * (token * stride + beyond))).isEqualTo(0x7f7f7f7f);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aTokenIsTheSameToTheBitInWhateverCompany(Type type) {
        Random random = new Random(7);
        int rows = 13;
        Matrix weights = Matrix.weights(type, rows, 18, random);
        Matrix tokens = Matrix.tokens(type, 11, 18, random);
        Memory together = new Memory(4L * rows * tokens.rows);
        for (int thread = 0; thread < 3; thread++) {
            multiply(thread, 3, weights, tokens, together, rows);
        }
        for (int token = 0; token < tokens.rows; token++) {
            Memory alone = new Memory(4L * rows);
            multiply(0, 1, weights, tokens.only(token), alone, rows);
            assertThat(alone.getIntArray(0, rows)).isEqualTo(together.getIntArray(4L * rows * token, rows));
        }
    }

    @Test
    void saysThatItWasUsed() {
        Matrix one = Matrix.weights(Type.Q4_1, 1, 1, new Random(1));
        Matrix token = Matrix.tokens(Type.Q4_1, 1, 1, new Random(2));
        multiply(0, 1, one, token, new Memory(4), 1);

        assertThat(call("cq_matmul_used")).isEqualTo(1);
        assertThat(Tiny.LLAMA.batches("Q4_1")).isTrue();
        assertThat(Tiny.LLAMA.batches("Q8_0")).isTrue();
        assertThat(Tiny.LLAMA.batches("Q6_K")).isFalse();
    }

    /** How large sums get, which is what rounding is measured by. */
    private static double magnitude(Type type, int blocks) {
        return 127.0 * (type == Type.Q4_1 ? 16 : 256) * Math.sqrt(blocks * BLOCK);
    }

    private static boolean multiply(int thread, int threads, Matrix a, Matrix b, Memory c, int stride) {
        Memory params = new Memory(40);
        params.clear();
        params.setInt(0, thread);
        params.setInt(4, threads);
        Object[] arguments = {
            params,
            (long) a.rows,
            (long) b.rows,
            (long) a.blocks,
            a.memory,
            (long) a.blocks,
            b.memory,
            (long) b.blocks,
            c,
            (long) stride,
            a.type.weights,
            a.type.tokens,
            F32
        };
        return (boolean) function("llamafile_sgemm").invoke(boolean.class, arguments);
    }

    /** Rows of blocks, as bytes and as numbers. */
    private static final class Matrix {
        final Type type;
        final int rows;
        final int blocks;
        final Pointer memory;
        final double[][] numbers;

        private Matrix(Type type, Pointer memory, int blocks, double[][] numbers) {
            this.type = type;
            this.memory = memory;
            this.rows = numbers.length;
            this.blocks = blocks;
            this.numbers = numbers;
        }

        static Matrix weights(Type type, int rows, int blocks, Random random) {
            Memory memory = new Memory((long) rows * blocks * type.weightBytes);
            double[][] numbers = new double[rows][blocks * BLOCK];
            for (int row = 0; row < rows; row++) {
                for (int block = 0; block < blocks; block++) {
                    Pointer at = memory.share((long) (row * blocks + block) * type.weightBytes);
                    if (type == Type.Q4_1) {
                        fourBits(at, numbers[row], block * BLOCK, random);
                    } else {
                        eightBits(at, numbers[row], block * BLOCK, random);
                    }
                }
            }
            return new Matrix(type, memory, blocks, numbers);
        }

        static Matrix tokens(Type type, int rows, int blocks, Random random) {
            Memory memory = new Memory((long) rows * blocks * type.tokenBytes);
            double[][] numbers = new double[rows][blocks * BLOCK];
            for (int row = 0; row < rows; row++) {
                for (int block = 0; block < blocks; block++) {
                    Pointer at = memory.share((long) (row * blocks + block) * type.tokenBytes);
                    if (type == Type.Q4_1) {
                        summed(at, numbers[row], block, random);
                    } else {
                        eightBits(at, numbers[row], block * BLOCK, random);
                    }
                }
            }
            return new Matrix(type, memory, blocks, numbers);
        }

        /** Of tokens one. */
        Matrix only(int token) {
            Pointer at = memory.share((long) token * blocks * type.tokenBytes);
            return new Matrix(type, at, blocks, new double[][] {numbers[token]});
        }

        private static void fourBits(Pointer at, double[] row, int from, Random random) {
            double scale = half(at, 0, random);
            double least = half(at, 2, random);
            for (int i = 0; i < BLOCK / 2; i++) {
                int both = random.nextInt(256);
                at.setByte(4 + i, (byte) both);
                row[from + i] = scale * (both & 15) + least;
                row[from + BLOCK / 2 + i] = scale * (both >> 4) + least;
            }
        }

        /** Any number, also the least there is. */
        private static void eightBits(Pointer at, double[] row, int from, Random random) {
            double scale = half(at, 0, random);
            for (int i = 0; i < BLOCK; i++) {
                byte number = (byte) random.nextInt(256);
                at.setByte(2 + i, number);
                row[from + i] = scale * number;
            }
        }

        /** The sum of a block, which goes with it, is kept in half precision; so numbers are such that it is exact. */
        private static void summed(Pointer at, double[] row, int block, Random random) {
            int sum = 0;
            for (int i = 0; i < BLOCK; i++) {
                int number = i < BLOCK / 2 ? random.nextInt(255) - 127 : -at.getByte(4 + i - BLOCK / 2);
                number += i == BLOCK - 1 ? block % 2 : 0;
                number = Math.max(-127, Math.min(127, number));
                at.setByte(4 + i, (byte) number);
                row[block * BLOCK + i] = number;
                sum += number;
            }
            at.setShort(0, (short) 0x3c00); // one
            at.setShort(2, (short) (sum == 0 ? 0 : sum > 0 ? 0x3c00 : 0xbc00));
            assertThat(sum).isBetween(-1, 1);
        }

        /** Writes a random number in half precision, and returns it. */
        private static double half(Pointer at, int offset, Random random) {
            int exponent = 10 + random.nextInt(6);
            int fraction = random.nextInt(1024);
            boolean negative = random.nextBoolean();
            at.setShort(offset, (short) ((negative ? 0x8000 : 0) | exponent << 10 | fraction));
            return (negative ? -1 : 1) * Math.scalb(1 + fraction / 1024.0, exponent - 15);
        }

        double times(int row, Matrix tokens, int token) {
            double sum = 0;
            for (int i = 0; i < blocks * BLOCK; i++) {
                sum += numbers[row][i] * tokens.numbers[token][i];
            }
            return sum;
        }
    }
}

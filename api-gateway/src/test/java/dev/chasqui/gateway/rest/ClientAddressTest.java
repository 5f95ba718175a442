package dev.chasqui.gateway.rest;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClientAddressTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "203.0.113.7    | 198.51.100.1              | 203.0.113.7",
                "127.0.0.1      | 198.51.100.1              | 198.51.100.1",
                "10.0.0.2       | 203.0.113.9, 198.51.100.1 | 198.51.100.1",
                "fd00::2        | 198.51.100.1              | 198.51.100.1",
                "::1            | 2001:db8:1:2:3:4:5:6      | 20010db800010002",
                "2001:db8:1:2::9| 198.51.100.1              | 20010db800010002",
                "127.0.0.1      | unknown                   | 127.0.0.1",
                "127.0.0.1      | localhost                 | 127.0.0.1",
                "127.0.0.1      | ''                        | 127.0.0.1",
            })
    void onlyANeighbourMaySayForWhomItAsks(String remote, String forwarded, String address) throws Exception {
        assertThat(ClientAddress.of(InetAddress.getByName(remote), List.of(forwarded)))
                .isEqualTo(address);
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1", "10.0.0.2"})
    void withoutTheHeaderANeighbourIsItself(String remote) throws Exception {
        assertThat(ClientAddress.of(InetAddress.getByName(remote), List.of())).isEqualTo(remote);
    }
}

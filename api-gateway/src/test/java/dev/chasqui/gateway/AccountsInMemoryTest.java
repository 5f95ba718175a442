package dev.chasqui.gateway;

/** Accounts while a gateway runs. */
class AccountsInMemoryTest extends AccountsContract {
    @Override
    String database() {
        return "memory:";
    }
}

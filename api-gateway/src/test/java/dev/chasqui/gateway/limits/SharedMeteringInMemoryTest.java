package dev.chasqui.gateway.limits;

import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.storage.Database;
import dev.chasqui.gateway.storage.DatabaseAddress;

/** In H2, as if it could be shared. */
class SharedMeteringInMemoryTest extends SharedMeteringContract {
    @Override
    Database database(EventLoop loop) {
        return new Database(new DatabaseAddress.InMemory(), loop);
    }
}

package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.answers.AnswerEncoder;
import dev.chasqui.gateway.answers.JsonBytes;
import java.util.Arrays;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Sinks;

/**
 * All that was told of a response, for those who come later or come back: each event as it went out, in order, so that
 * the number of an event is its place. The event loop owns it.
 */
final class ResponseEvents {
    private final Sinks.Many<byte[]> events = Sinks.many().replay().all();

    /** @param told one event or several, each ended by an empty line, which JSON never holds */
    void add(JsonBytes told) {
        int from = 0;
        for (int i = 1; i < told.size(); i++) {
            if (told.array()[i] == '\n' && told.array()[i - 1] == '\n') {
                events.tryEmitNext(Arrays.copyOfRange(told.array(), from, i + 1));
                from = i + 1;
            }
        }
    }

    /** There will be no more. */
    void end() {
        events.tryEmitComplete();
    }

    /** Those that were told and those to come. */
    Flux<byte[]> from(long first) {
        return events.asFlux().skip(first);
    }

    /** Writes them as they were. */
    static final class Repeater implements AnswerEncoder<byte[]> {
        private final JsonBytes out = new JsonBytes(512);

        @Override
        public JsonBytes encode(byte[] event) {
            out.clear();
            return out.raw(event);
        }

        @Override
        public JsonBytes fail(Throwable failure) {
            out.clear();
            return out.raw("event: error\ndata: ")
                    .raw(OpenAiError.of(failure).body())
                    .raw("\n\n");
        }
    }
}

import { ApiError, streamChat } from './api.js';

/**
 * Lets the model answer where the server stores nothing: the answer streams straight into the message, which grows.
 * @param {import('./message-tree.js').Message} answer changed in place: text, status, numbers
 * @param {object} request of POST /v1/chat/completions
 * @param {AbortSignal} signal stops it
 * @param {() => void} onGrown
 */
export async function streamInto(answer, request, signal, onGrown) {
  const clock = new AnswerClock(answer);
  try {
    for await (const delta of streamChat(request, signal)) {
      clock.take(delta);
      if (delta.finish) answer.finish_reason = delta.finish;
      if (delta.reasoning) answer.reasoning += delta.reasoning;
      if (delta.content) answer.content += delta.content;
      if (delta.content || delta.reasoning) onGrown();
    }
    answer.status = 'complete';
  } catch (error) {
    fail(answer, error, signal);
  }
  Object.assign(answer, clock.numbers(), { updated_at: new Date().toISOString() });
}

function fail(answer, error, signal) {
  if (signal.aborted) {
    answer.status = 'stopped';
    return;
  }
  answer.status = 'failed';
  if (error instanceof ApiError) {
    answer.error = error.message;
    answer.retry_after = error.retryAfter;
  } else {
    console.error(error);
    answer.error = 'The page could not read the answer.';
  }
}

/** Measures one answer; one that goes on from an earlier text counts that one's tokens and time too. */
class AnswerClock {
  #started = performance.now();
  #first = null;
  #deltas = 0;
  #usage = null;
  #timings = null;
  #before;

  constructor({ usage, timings, content }) {
    this.#before = content === '' || !timings ? null : { usage, timings };
  }

  take({ content, reasoning, usage, timings }) {
    if (content || reasoning) {
      this.#deltas++;
      this.#first ??= performance.now();
    }
    this.#usage = usage ?? this.#usage;
    this.#timings = timings ?? this.#timings;
  }

  numbers() {
    const duration = performance.now() - this.#started;
    const first = this.#first === null ? 0 : this.#first - this.#started;
    const counted = this.#usage?.completion_tokens ?? this.#timings?.predicted_n;
    const tokens = counted ?? this.#deltas;
    const rate = this.#timings?.predicted_per_second;
    const decoding = rate > 0 ? (tokens / rate) * 1000 : Math.max(0, duration - first);
    const before = this.#before;
    return {
      usage: {
        prompt_tokens: this.#usage?.prompt_tokens ?? 0,
        completion_tokens: tokens + (before?.usage?.completion_tokens ?? 0),
        estimated: counted === undefined || (before?.usage?.estimated ?? false),
      },
      timings: {
        first_token_ms: Math.round(before?.timings.first_token_ms ?? first),
        completion_ms: Math.round(decoding + (before?.timings.completion_ms ?? 0)),
        duration_ms: Math.round(duration + (before?.timings.duration_ms ?? 0)),
      },
    };
  }
}

// What Anthropic's official client makes of a running server: prints one JSON object, which the test reads.
import Anthropic from '@anthropic-ai/sdk';

const client = new Anthropic({ baseURL: process.argv[2], apiKey: 'none', maxRetries: 0 });
const question = {
  model: 'claude-sonnet-4-5',
  max_tokens: 16,
  messages: [{ role: 'user', content: 'Say hello.' }],
  temperature: 0,
};

const whole = await client.messages.create(question);
const stream = client.messages.stream(question);
let streamed = '';
stream.on('text', (text) => (streamed += text));
const final = await stream.finalMessage();
const counted = await client.messages.countTokens({ model: question.model, messages: question.messages });

const failure = await client.messages
  .create({ ...question, temperature: 9 })
  .then(() => null, (error) => ({ type: error.constructor.name, status: error.status, message: error.message }));

console.log(
  JSON.stringify({
    text: whole.content[0].text,
    streamed,
    final: final.content[0].text,
    stop: whole.stop_reason,
    output_tokens: whole.usage.output_tokens,
    streamed_tokens: final.usage.output_tokens,
    counted: counted.input_tokens,
    input_tokens: whole.usage.input_tokens + whole.usage.cache_read_input_tokens,
    failure,
  }),
);

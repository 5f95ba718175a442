// What the official client makes of a running server: prints one JSON object, which the test reads.
import OpenAI from 'openai';

const client = new OpenAI({ baseURL: process.argv[2], apiKey: 'none', maxRetries: 0 });
const question = {
  model: process.argv[3],
  messages: [{ role: 'user', content: 'Say hello.' }],
  max_completion_tokens: 16,
  temperature: 0,
  seed: 1,
};

const whole = await client.chat.completions.create(question);
let streamed = '';
let usage;
for await (const chunk of await client.chat.completions.create({
  ...question,
  stream: true,
  stream_options: { include_usage: true },
})) {
  streamed += chunk.choices[0]?.delta?.content ?? '';
  usage = chunk.usage ?? usage;
}
const models = [];
for await (const model of client.models.list()) models.push(model.id);

const failure = await client.chat.completions
  .create({ ...question, temperature: 9 })
  .then(() => null, (error) => ({ type: error.constructor.name, status: error.status, param: error.param }));

console.log(
  JSON.stringify({
    text: whole.choices[0].message.content,
    finish: whole.choices[0].finish_reason,
    completion_tokens: whole.usage.completion_tokens,
    streamed,
    streamed_tokens: usage.completion_tokens,
    models,
    failure,
  }),
);

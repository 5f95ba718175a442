"""What the official client makes of a running server: prints one JSON object, which the test reads."""

import json
import sys

import openai

client = openai.OpenAI(base_url=sys.argv[1], api_key="none", max_retries=0)
question = {
    "model": sys.argv[2],
    "messages": [{"role": "user", "content": "Say hello."}],
    "max_completion_tokens": 16,
    "temperature": 0,
    "seed": 1,
}

whole = client.chat.completions.create(**question)
streamed = ""
usage = None
for chunk in client.chat.completions.create(**question, stream=True, stream_options={"include_usage": True}):
    if chunk.choices:
        streamed += chunk.choices[0].delta.content or ""
    usage = chunk.usage or usage

failure = None
try:
    client.chat.completions.create(**{**question, "temperature": 9})
except openai.APIStatusError as error:
    failure = {"type": type(error).__name__, "status": error.status_code, "param": error.param}

print(
    json.dumps(
        {
            "text": whole.choices[0].message.content,
            "finish": whole.choices[0].finish_reason,
            "completion_tokens": whole.usage.completion_tokens,
            "streamed": streamed,
            "streamed_tokens": usage.completion_tokens,
            "models": [model.id for model in client.models.list()],
            "failure": failure,
        }
    )
)

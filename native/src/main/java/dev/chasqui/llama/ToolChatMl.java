package dev.chasqui.llama;

/** ChatML with tools, as most models of that form were taught them: described in the system message, called in JSON. */
final class ToolChatMl {
    static final String SOURCE = """
            {%- if tools %}
            {{- '<|im_start|>system\\n' }}
            {%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n\\n' }}{%- endif %}
            {{- '# Tools\\n\\nYou may call one or more functions to help with the user query.\\n\\nYou are given function signatures within <tools></tools> tags:\\n<tools>' }}
            {%- for tool in tools %}{{- '\\n' }}{{- tool | tojson }}{%- endfor %}
            {{- '\\n</tools>\\n\\nFor each call, give a JSON object with the function name and its arguments within <tool_call></tool_call> tags:\\n<tool_call>\\n{"name": <function-name>, "arguments": <args-json-object>}\\n</tool_call><|im_end|>\\n' }}
            {%- elif messages[0].role == 'system' %}
            {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
            {%- endif %}
            {%- for message in messages %}
            {%- if message.role == 'user' or (message.role == 'system' and not loop.first) %}
            {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
            {%- elif message.role == 'assistant' %}
            {{- '<|im_start|>assistant' }}
            {%- if message.content %}{{- '\\n' + message.content }}{%- endif %}
            {%- if message.tool_calls %}{%- for tool_call in message.tool_calls %}
            {%- if tool_call.function %}{%- set tool_call = tool_call.function %}{%- endif %}
            {{- '\\n<tool_call>\\n{"name": "' + tool_call.name + '", "arguments": ' }}{{- tool_call.arguments | tojson }}{{- '}\\n</tool_call>' }}
            {%- endfor %}{%- endif %}
            {{- '<|im_end|>\\n' }}
            {%- elif message.role == 'tool' %}
            {%- if loop.first or messages[loop.index0 - 1].role != 'tool' %}{{- '<|im_start|>user' }}{%- endif %}
            {{- '\\n<tool_response>\\n' + message.content + '\\n</tool_response>' }}
            {%- if loop.last or messages[loop.index0 + 1].role != 'tool' %}{{- '<|im_end|>\\n' }}{%- endif %}
            {%- endif %}
            {%- endfor %}
            {%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}""";

    private ToolChatMl() {}
}

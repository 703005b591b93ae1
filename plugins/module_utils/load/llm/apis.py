# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The HTTP interfaces of language models: how a request looks, and what its answer says.

OpenAI's (https://platform.openai.com/docs/api-reference), as vLLM, llama.cpp, Ollama and others speak it, and
Ollama's own (https://github.com/ollama/ollama/blob/main/docs/api.md), whose last message has the server's timings.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json

_MOST_TOKENS = 1 << 40
_MOST_NS = 1 << 63


def _count(number):
    """A number of tokens, or None. Raises ValueError for what is no such number: a service may say anything."""
    whole = isinstance(number, int) and not isinstance(number, bool)
    if number is not None and not (whole and 0 <= number <= _MOST_TOKENS):
        raise ValueError("%.40r is no number of tokens" % (number,))
    return number


class Answer:
    """What a whole answer says: text (str), tokens_in, tokens_out (int or None), values (dict: name -> seconds)."""

    def __init__(self, text, tokens_in=None, tokens_out=None, values=None):
        if not isinstance(text, str):
            raise TypeError("the text is %r" % (text,))
        self.text, self.tokens_in, self.tokens_out = text, _count(tokens_in), _count(tokens_out)
        self.values = values or {}


class OpenAI:
    """Chat, completions (`chat` False) or embeddings (`embeds` True)."""

    models = "/v1/models"
    done = b"[DONE]"

    def __init__(self, chat=True, embeds=False):
        self.chat, self.embeds = chat, embeds
        self.path = "/v1/embeddings" if embeds else "/v1/chat/completions" if chat else "/v1/completions"

    def body(self, model, messages, max_tokens, stream, extra):
        """The request's body (dict). messages: list of {"role", "content"}."""
        if self.embeds:
            return dict({"model": model, "input": messages[-1]["content"]}, **extra)
        body = {"model": model, "max_tokens": max_tokens, "stream": stream}
        if self.chat:
            body["messages"] = messages
        else:
            body["prompt"] = "\n".join(message["content"] for message in messages)
        if stream:
            body["stream_options"] = {"include_usage": True}
        body.update(extra)
        return body

    def whole(self, data):
        """The Answer of a body that is not streamed. Raises ValueError, KeyError, IndexError, TypeError."""
        found = json.loads(data.decode("utf-8"))
        usage = found.get("usage") or {}
        if self.embeds:
            vector = found["data"][0]["embedding"]
            return Answer("vector" if vector else "", usage.get("prompt_tokens"), 0)
        choice = found["choices"][0]
        text = _text_of(choice["message"]) if self.chat else choice["text"]
        return Answer(text or "", usage.get("prompt_tokens"), usage.get("completion_tokens"))

    @staticmethod
    def part(message):
        """(text, Answer or None of its usage) of one message (dict) of a stream."""
        text = ""
        for choice in message.get("choices") or []:
            text += _text_of(choice.get("delta") or {}) or choice.get("text") or ""
        usage = message.get("usage")
        if not usage:
            return text, None
        return text, Answer("", usage.get("prompt_tokens"), usage.get("completion_tokens"))

    @staticmethod
    def model_names(data):
        """Names (list of str) of the models that the server has."""
        return [model["id"] for model in json.loads(data.decode("utf-8"))["data"]]


class Ollama:
    """Ollama's own interface: /api/chat, /api/generate (`chat` False), /api/embed (`embeds` True)."""

    models = "/api/tags"
    done = b'"done":true'

    def __init__(self, chat=True, embeds=False):
        self.chat, self.embeds = chat, embeds
        self.path = "/api/embed" if embeds else "/api/chat" if chat else "/api/generate"

    def body(self, model, messages, max_tokens, stream, extra):
        """The request's body (dict)."""
        if self.embeds:
            return dict({"model": model, "input": messages[-1]["content"]}, **extra)
        extra = dict(extra)
        body = {"model": model, "stream": stream}
        body["options"] = dict({"num_predict": max_tokens}, **extra.pop("options", {}))
        if self.chat:
            body["messages"] = messages
        else:
            body["prompt"] = "\n".join(message["content"] for message in messages)
        body.update(extra)
        return body

    def whole(self, data):
        """The Answer of a body that is not streamed. Raises ValueError, KeyError, TypeError."""
        found = json.loads(data.decode("utf-8"))
        if self.embeds:
            return Answer("vector" if found["embeddings"][0] else "", found.get("prompt_eval_count"), 0)
        text, answer = self.part(found)
        answer = answer or Answer("")
        return Answer(text, answer.tokens_in, answer.tokens_out, answer.values)

    @staticmethod
    def part(message):
        """(text, Answer or None with the server's own counts and timings) of one message (dict) of a stream."""
        text = (message.get("message") or {}).get("content") or message.get("response") or ""
        if not message.get("done"):
            return text, None
        values = {}
        for name in ("total_duration", "load_duration", "prompt_eval_duration", "eval_duration"):
            if isinstance(message.get(name), int) and 0 <= message[name] < _MOST_NS:
                values["ollama_" + name] = message[name] / 1e9
        return text, Answer("", message.get("prompt_eval_count"), message.get("eval_count"), values)

    @staticmethod
    def model_names(data):
        """Names (list of str) of the models that the server has."""
        return [model["name"] for model in json.loads(data.decode("utf-8"))["models"]]


APIS = {
    "openai-chat": lambda: OpenAI(True),
    "openai-completions": lambda: OpenAI(False),
    "openai-embeddings": lambda: OpenAI(False, True),
    "ollama-chat": lambda: Ollama(True),
    "ollama-generate": lambda: Ollama(False),
    "ollama-embed": lambda: Ollama(False, True),
}


def _text_of(message):
    """The text of a message or delta; what a reasoning model thinks are tokens as well."""
    return message.get("content") or message.get("reasoning_content") or message.get("reasoning")

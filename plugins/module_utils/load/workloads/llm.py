# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Language models: chat, completions and embeddings, streamed or not, by OpenAI's interface or Ollama's own."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import collections
import json
import random
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.load import blocking
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.engine_workload import EngineWorkload
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.http.connection import HttpConnection
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.http.framing import UNREADABLE, BadResponse
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.llm import lengths
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.llm.apis import APIS, Answer
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.llm.prompts import Words, read_prompts
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.llm.stream import StreamReader
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.operation import HttpOperation, http_request
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.pool import Connector
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.schedule import seed_of
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.url import Endpoint
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

ENGINE = True
METRICS = (
    "service_time", "time_to_first_token", "time_per_output_token", "inter_token_latency", "input_tokens",
    "output_tokens", "output_tokens_per_s", "input_tokens_per_s", "bytes_received", "bytes_sent",
)  # fmt: skip

SETTINGS = {
    "api": {
        "type": "str",
        "default": "openai-chat",
        "choices": sorted(APIS),
        "description": "The interface that is spoken.",
    },
    "model": {"type": "str", "default": "", "description": "The model's name; empty: the first that the server has."},
    "stream": {
        "type": "bool",
        "default": True,
        "description": "Ask for the answer piece by piece (not of embeddings).",
    },
    "prompts": {
        "type": "path",
        "default": "",
        "description": "File of prompts (ShareGPT, JSON, JSON lines, or one a line) instead of made ones.",
    },
    "shared_prefix": {
        "type": "int",
        "default": 0,
        "min": 0,
        "description": "Tokens that all prompts begin with, as with a system prompt; part of input_tokens.",
    },
    "turns": {
        "type": "int",
        "default": 1,
        "min": 1,
        "description": "Turns of a conversation; each is an operation, and sends all that was said before.",
    },
    "ignore_eos": {
        "type": "bool",
        "default": False,
        "description": "Ask for answers of full length (vLLM, llama.cpp), whatever the model would say.",
    },
    "temperature": {"type": "float", "default": 0.0, "min": 0, "description": "The sampling temperature."},
    "body": {"type": "dict", "default": {}, "description": "Further keys of every request's body."},
    "headers": {"type": "dict", "default": {}, "description": "Further header fields."},
    "secret": {
        "type": "str",
        "default": "",
        "description": "Which of the service's secrets is the API key; empty: the one that its type says, if any.",
    },
    "tls_verify": {"type": "bool", "default": True, "description": "Check the service's certificate (https)."},
    "ca_file": {"type": "path", "default": "", "description": "File of the certificates that are trusted (https)."},
}
SETTINGS.update(lengths.options("input_tokens", 128, "a prompt"))
SETTINGS.update(lengths.options("output_tokens", 128, "an answer, at most"))

_PROBE_WORDS = (20, 120)
_PROBE_TIMEOUT_S = 120.0
_MOST_STREAM_BYTES = 64 << 20  # of one answer


def check(settings):
    """(setting, message, remedy) of what is wrong with the settings as a whole."""
    for name in ("input_tokens", "output_tokens"):
        yield from lengths.check(settings, name)
    embeds = settings["api"].endswith(("embeddings", "embed"))
    if settings["turns"] > 1 and (embeds or not settings["api"].endswith("chat")):
        yield "turns", "the api %s has no conversations" % settings["api"], "set turns to 1, or take a chat api"
    if settings["shared_prefix"] >= settings["input_tokens"]:
        yield (
            "shared_prefix",
            "%d tokens leave nothing of input_tokens, %d" % (settings["shared_prefix"], settings["input_tokens"]),
            "lower it, or raise input_tokens",
        )


def check_input(setting, path):
    """A file of prompts can be read. Raises ValueError."""
    read_prompts(path)


class Workload(EngineWorkload):
    """See the module."""

    def prepare(self, ctx):
        """Find the model's name, and how many tokens the server counts for a word."""
        settings = ctx.settings
        self.api = APIS[settings["api"]]()
        self.endpoints = [Endpoint.of_service(service) for service in ctx.services]
        self.headers = _headers(ctx)
        self.model = settings["model"] or self._first_model(ctx)
        self.prompts = _prompts(ctx)
        self.words = Words() if self.prompts else self._measure_words(ctx)

    def connectors(self, ctx):
        """One a service."""
        settings = ctx.settings
        return [
            Connector(e, HttpConnection, e.tls_context(settings["tls_verify"], settings["ca_file"]))
            for e in self.endpoints
        ]

    def recorder(self, ctx, case):
        """The workload keeps it: streams add the gaps between their tokens."""
        self.samples = super().recorder(ctx, case)
        return self.samples

    def operations(self, ctx, case):
        """Prompts in random order, the services in turn."""
        return _Questions(self, ctx, case).next

    def _facts(self, case, engine, recorder):
        facts = super()._facts(case, engine, recorder)
        facts["model"] = self.model
        return facts

    def _ask(self, ctx, method, path, body=b""):
        settings, endpoint = ctx.settings, self.endpoints[0]
        tls = endpoint.tls_context(settings["tls_verify"], settings["ca_file"])
        return blocking.request(endpoint, method, path, self.headers, body, tls=tls, timeout_s=_PROBE_TIMEOUT_S)

    def _first_model(self, ctx):
        try:
            names = self.api.model_names(self._ask(ctx, "GET", self.api.models))
        except UNREADABLE as e:
            raise LoadError("the server's list of models at %s can't be read (%s): name client.settings.model"
                            % (self.api.models, e))  # fmt: skip
        if not names:
            raise LoadError("the server has no model: have one loaded, or name client.settings.model")
        return names[0]

    def _measure_words(self, ctx):
        """Two prompts of known length in words; their answers say how many tokens they were."""
        draw = random.Random(1)
        counted = []
        for count in _PROBE_WORDS:
            messages = [{"role": "user", "content": Words.text(count, draw)}]
            body = self.api.body(self.model, messages, 1, False, ctx.settings["body"])
            try:
                answer = self.api.whole(self._ask(ctx, "POST", self.api.path, json.dumps(body).encode("utf-8")))
            except UNREADABLE as e:
                raise LoadError("the answer to a first request to %s can't be read: %r" % (self.api.path, e))
            counted.append(answer.tokens_in)
        if None in counted:
            return Words()
        return Words.measured(_PROBE_WORDS[0], counted[0], _PROBE_WORDS[1], counted[1])


class _Questions:
    """Makes the operations of one case."""

    def __init__(self, workload, ctx, case):
        settings = ctx.settings
        self.workload, self.settings = workload, settings
        self.random = random.Random(case.seed)
        self.streams = settings["stream"] and not workload.api.embeds
        self.inputs = lengths.Lengths.of(settings, "input_tokens")
        self.outputs = lengths.Lengths.of(settings, "output_tokens")
        self.number = case.client
        # the same for every client of the run, or it would not be shared
        shared = random.Random(seed_of(ctx.run_id, "prefix"))
        words = workload.words.words_for(settings["shared_prefix"]) if settings["shared_prefix"] else 0
        self.prefix = Words.text(words, shared) + " " if words else ""
        self.prefix_words = words
        self.extra = dict(settings["body"])
        if not workload.api.embeds:
            if settings["api"].startswith("openai"):
                self.extra.setdefault("temperature", settings["temperature"])
            else:
                self.extra["options"] = dict({"temperature": settings["temperature"]}, **self.extra.get("options", {}))
            if settings["ignore_eos"]:
                self.extra.setdefault("ignore_eos", True)
        self.ready = collections.deque()  # conversations that wait for their next turn

    def next(self):
        """The next operation: a turn of a conversation that goes on, else the first of a new one."""
        conversation = self.ready.popleft() if self.ready else _Conversation()
        prompt, tokens = self._prompt(bool(conversation.messages))
        conversation.messages.append({"role": "user", "content": prompt})
        workload, number = self.workload, self.number
        self.number += 1
        body = workload.api.body(
            workload.model, conversation.messages, tokens or self.outputs.draw(self.random), self.streams, self.extra
        )
        endpoint = number % len(workload.endpoints)
        payload = http_request(
            "POST",
            workload.api.path,
            workload.endpoints[endpoint],
            workload.headers,
            json.dumps(body, separators=(",", ":")).encode("utf-8"),
        )
        goes_on = len(conversation.messages) < 2 * self.settings["turns"] - 1
        return (_Streamed if self.streams else _Whole)(payload, endpoint, self, conversation if goes_on else None)

    def answered(self, conversation, text):
        """A turn of a conversation that goes on has its answer (str)."""
        conversation.messages.append({"role": "assistant", "content": text})
        self.ready.append(conversation)

    def _prompt(self, follows):
        """(text, tokens of its answer or None)."""
        if self.workload.prompts:
            text, tokens = self.random.choice(self.workload.prompts)
            return (text if follows else self.prefix + text), tokens
        words = self.workload.words.words_for(self.inputs.draw(self.random))
        if follows:
            return Words.text(words, self.random), None
        return self.prefix + Words.text(max(1, words - self.prefix_words), self.random), None


class _Conversation:
    def __init__(self):
        self.messages = []


class _Question(HttpOperation):
    """What both kinds of answers have in common. conversation: it goes on after this turn; else None."""

    __slots__ = ("conversation", "questions")

    def __init__(self, payload, endpoint, questions, conversation, keeps_body):
        super().__init__(payload, endpoint=endpoint, keeps_body=keeps_body)
        self.questions, self.conversation = questions, conversation

    def _take(self, answer, text):
        """What the server counted; no token is no answer."""
        self.tokens_in, self.tokens_out = answer.tokens_in or 0, answer.tokens_out or 0
        for name, value in answer.values.items():
            samples = self.questions.workload.samples
            if samples.is_measured(self.due):
                samples.value(name, value, "s")
        if self.conversation is not None and self.error is None:
            self.questions.answered(self.conversation, text)


class _Whole(_Question):
    """An answer that comes in one piece."""

    __slots__ = ()

    def __init__(self, payload, endpoint, questions, conversation):
        super().__init__(payload, endpoint, questions, conversation, keeps_body=True)

    def finished(self):
        """See Operation."""
        super().finished()
        if self.error is None:
            try:
                answer = self.questions.workload.api.whole(self.body)
            except UNREADABLE as e:
                self.fail("wrong answer", "%r in %s" % (e, self.body[:300].decode("utf-8", "replace")))
            else:
                if not answer.text:
                    self.fail("no tokens", self.body[:300].decode("utf-8", "replace"))
                self._take(answer, answer.text)
        self.body = b""
        return False


class _Streamed(_Question):
    """An answer that comes token by token."""

    __slots__ = ("chunks", "gaps", "reader")

    def __init__(self, payload, endpoint, questions, conversation):
        super().__init__(payload, endpoint, questions, conversation, keeps_body=False)
        self._begin_answer()

    def _begin_answer(self):
        self.reader = StreamReader(self.questions.workload.api, self.conversation is not None)
        self.gaps = []
        self.chunks = 0

    def again(self):
        """See Operation."""
        super().again()
        self._begin_answer()

    def body_came(self, data):
        """A part of the stream: when it came is what counts."""
        if self.status != 200:
            super().body_came(data)
            return
        if self.received > _MOST_STREAM_BYTES:
            raise BadResponse("the stream has more than %d MiB" % (_MOST_STREAM_BYTES >> 20))
        chunks = self.reader.feed(data)
        if not chunks:
            return
        now = time.monotonic()
        if self.chunks:
            self.gaps.append(int((now - self.last) * 1e6))
            chunks -= 1
            self.chunks += 1
        else:
            self.first = now
            self.chunks = 1
            chunks -= 1
        self.last = now
        if chunks:  # several at once: no time was between them
            self.chunks += chunks
            self.gaps.extend([0] * chunks)

    def finished(self):
        """See Operation."""
        super().finished()
        if self.error is not None:
            return False
        reader = self.reader
        if reader.rest:
            reader.feed(b"\n")  # a last line without its end
        if reader.error:
            self.fail("error in the stream", reader.error)
        elif not reader.saw_end:
            self.fail("stream cut short", "the stream ended without saying so, after %d pieces" % self.chunks)
        elif not self.chunks:
            self.fail("no tokens", "the stream had no text")
        else:
            answer = reader.answer or Answer("")
            if answer.tokens_out is None:
                answer.tokens_out = self.chunks  # the server does not count: a piece is about a token
            self._take(answer, "".join(reader.text))
            samples = self.questions.workload.samples
            if samples.is_measured(self.due):
                samples.gaps.extend(self.gaps)
        return False


def _headers(ctx):
    headers = [("Content-Type", "application/json"), ("Accept", "text/event-stream, application/json")]
    key = ctx.service_secret(ctx.settings["secret"])
    if key:
        headers.append(("Authorization", "Bearer " + key))
    return headers + [(name, str(value)) for name, value in ctx.settings["headers"].items()]


def _prompts(ctx):
    """The prompts of the file that is named, [] without one. Raises LoadError."""
    path = ctx.settings["prompts"]
    if not path:
        return []
    try:
        return read_prompts(path)
    except (OSError, ValueError) as e:
        raise LoadError("client.settings.prompts: %s" % e)

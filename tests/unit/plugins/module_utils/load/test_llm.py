# SPDX-License-Identifier: MIT
"""The workload llm against a server that streams what it is known to stream."""

from __future__ import annotations

import asyncio
import itertools
import json
import random

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import registry
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.llm import apis, prompts
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.llm.stream import StreamReader
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError
from hypothesis import given
from hypothesis import strategies as st

from .truth import Truth, event, plain

TOKENS = 8
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


def words_of(messages) -> int:
    return sum(len(message["content"].split()) for message in messages)


def openai(gap_s=0.0, first_s=0.0, tokens=TOKENS):
    """A server of OpenAI's chat interface: a word is a token and a half, and six tokens are added."""

    async def answer(request, writer):
        if request.path == "/v1/models":
            writer.write(plain(b'{"data": [{"id": "tiny"}]}'))
            return
        asked = json.loads(request.body)
        usage = {"prompt_tokens": 6 + int(1.5 * words_of(asked["messages"])), "completion_tokens": tokens}
        if not asked["stream"]:
            message = {"choices": [{"message": {"content": "word " * tokens}}], "usage": usage}
            writer.write(plain(json.dumps(message).encode()))
            return
        writer.write(HEAD + event({"choices": [{"delta": {"role": "assistant", "content": ""}}]}))
        await asyncio.sleep(first_s)
        for number in range(tokens):
            writer.write(event({"choices": [{"delta": {"content": f"w{number} "}}], "usage": None}))
            if gap_s:
                await asyncio.sleep(gap_s)
        writer.write(event({"choices": [{"delta": {}, "finish_reason": "stop"}]}))
        writer.write(event({"choices": [], "usage": usage}) + event("[DONE]") + END)

    return answer


def bodies(truth):
    """The bodies of the load; the probes before it ask for one token."""
    asked = [json.loads(seen.body) for seen in truth.seen if seen.body]
    return [body for body in asked if body["max_tokens"] != 1]


def test_a_streams_tokens_are_the_servers(load):
    with Truth(openai(gap_s=0.02, first_s=0.1)) as truth:
        result = load("llm", truth, requests=5).run()
    histograms = result["histograms"]
    assert result["operations"] == 5 and result["errors"] == {}
    assert result["counters"]["output_tokens"]["total"] == 5 * TOKENS
    assert histograms["time_to_first_token"]["count"] == 5
    assert histograms["inter_token_latency"]["count"] == 5 * (TOKENS - 1)
    # the server's own pauses are the least that can be measured
    assert histograms["time_to_first_token"]["min"] >= 100_000
    assert histograms["time_per_output_token"]["min"] >= 20_000
    assert histograms["response_time"]["min"] >= 100_000 + TOKENS * 20_000
    assert histograms["response_time"]["min"] >= histograms["time_to_first_token"]["min"]
    # gap by gap they add up to the time per token
    gaps, per_token = histograms["inter_token_latency"]["sum"], histograms["time_per_output_token"]["sum"]
    assert gaps == pytest.approx(per_token * (TOKENS - 1), rel=0.001)


def test_prompts_have_the_length_in_tokens_that_the_server_counts(load):
    with Truth(openai()) as truth:
        result = load("llm", truth, settings={"input_tokens": 300, "output_tokens": 17}, requests=4).run()
    assert result["counters"]["input_tokens"]["total"] == pytest.approx(4 * 300, abs=4 * 2)
    assert {body["max_tokens"] for body in bodies(truth)} == {17}
    assert result["model"] == "tiny" == bodies(truth)[0]["model"]


def test_lengths_are_drawn_within_their_bounds(load):
    settings = {"input_tokens": 100, "input_tokens_stddev": 60.0, "input_tokens_min": 50, "input_tokens_max": 150}
    settings |= {"output_tokens": 30, "output_tokens_stddev": 20.0, "output_tokens_max": 40}
    with Truth(openai()) as truth:
        load("llm", truth, settings=settings, requests=60, concurrency=4).run()
    words = [words_of(body["messages"]) for body in bodies(truth)]
    assert len(set(words)) > 20 and min(words) >= 28 and max(words) <= 97
    asked = [body["max_tokens"] for body in bodies(truth)]
    assert len(set(asked)) > 10 and min(asked) >= 1 and max(asked) == 40


def test_prompts_share_their_prefix_and_no_more(load):
    with Truth(openai()) as truth:
        load("llm", truth, settings={"input_tokens": 200, "shared_prefix": 100}, requests=6).run()
        load("llm", truth, settings={"input_tokens": 200, "shared_prefix": 100}, requests=6, client=1, clients=2).run()
    texts = [body["messages"][0]["content"].split() for body in bodies(truth)]
    shared = min(sum(1 for _ in _same(texts[0], text)) for text in texts[1:])
    assert 60 <= shared <= 70, "100 tokens are 63 words, and now and then the next one is the same"
    assert len({" ".join(text) for text in texts}) == 12


def _same(one, two):
    for a, b in zip(one, two, strict=False):
        if a != b:
            return
        yield a


def test_a_conversation_sends_all_that_was_said(load):
    with Truth(openai()) as truth:
        result = load("llm", truth, settings={"turns": 3, "input_tokens": 20}, requests=9, concurrency=1).run()
    assert result["operations"] == 9
    turns = [[message["role"] for message in body["messages"]] for body in bodies(truth)]
    assert turns == 3 * [["user"], ["user", "assistant", "user"], ["user", "assistant"] * 2 + ["user"]]
    assert bodies(truth)[1]["messages"][1]["content"] == "".join(f"w{n} " for n in range(TOKENS))


def test_an_answer_in_one_piece(load):
    with Truth(openai()) as truth:
        result = load("llm", truth, settings={"stream": False}, requests=3).run()
    assert result["operations"] == 3
    assert result["counters"]["output_tokens"]["total"] == 3 * TOKENS
    assert "time_to_first_token" not in result["histograms"]


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (HEAD + event({"choices": [{"delta": {"role": "assistant"}}]}) + event("[DONE]") + END, "no tokens", "no text"),
        (HEAD + event({"choices": [{"delta": {"content": "x"}}]}) + END, "stream cut short", "after 1 pieces"),
        (
            HEAD + event({"error": {"message": "out of memory"}}) + event("[DONE]") + END,
            "error in the stream",
            "memory",
        ),
        (plain(b'{"error": "no such model"}', "404 Not Found"), "status 404", "no such model"),
    ],
)
def test_an_answer_without_tokens_is_an_error(load, answer, error, text):
    async def wrong(_request, writer):
        writer.write(answer)

    with Truth(wrong) as truth:
        made = load("llm", truth, settings={"model": "tiny", "prompts": "prompts.txt"}, requests=2)
        made.context.settings = registry.located("llm", made.context.settings, made.context.run_dir)
        (_folder(made) / "prompts.txt").write_text("What is this?\n")
        result = made.run()
    assert result["operations"] == 0
    assert result["errors"][error]["count"] == 2 and text in result["errors"][error]["example"]


def _folder(made):
    from pathlib import Path

    return Path(made.context.run_dir)


def test_ollamas_own_interface_and_its_own_timings(load):
    async def ollama(request, writer):
        if request.path == "/api/tags":
            writer.write(plain(b'{"models": [{"name": "llama2"}]}'))
            return
        asked = json.loads(request.body)
        last = {"done": True, "response": "", "prompt_eval_count": 11, "eval_count": 3, "load_duration": 5_000_000}
        last |= {"total_duration": 90_000_000, "prompt_eval_duration": 20_000_000, "eval_duration": 60_000_000}
        if not asked["stream"]:
            writer.write(plain(json.dumps({**last, "response": "a b c"}).encode()))
            return
        lines = [{"response": word, "done": False} for word in "abc"] + [last]
        body = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()
        writer.write(plain(body))

    with Truth(ollama) as truth:
        for stream in (True, False):
            made = load("llm", truth, settings={"api": "ollama-generate", "stream": stream}, requests=2)
            result = made.run()
            assert result["operations"] == 2 and result["errors"] == {}
            assert result["counters"]["output_tokens"]["total"] == 6
            assert result["counters"]["input_tokens"]["total"] == 22
            assert result["metrics"]["ollama_load_duration"]["values"] == [0.005, 0.005]
            assert result["metrics"]["ollama_eval_duration"]["unit"] == "s"


def test_embeddings(load):
    async def embeddings(request, writer):
        body = {"data": [{"embedding": [0.1, 0.2]}], "usage": {"prompt_tokens": 7}}
        if request.path == "/v1/models":
            body = {"data": [{"id": "embedder"}]}
        writer.write(plain(json.dumps(body).encode()))

    with Truth(embeddings) as truth:
        result = load("llm", truth, settings={"api": "openai-embeddings"}, requests=3).run()
    assert result["operations"] == 3
    assert result["counters"]["input_tokens"]["total"] == 21
    assert "output_tokens" not in result["counters"]


def test_a_key_is_sent_as_the_interface_wants_it(load):
    with Truth(openai()) as truth:
        made = load("llm", truth, settings={"secret": "api_key"}, requests=1)
        (_folder(made) / "secrets").mkdir()
        (_folder(made) / "secrets/api_key").write_text("k3y\n")
        made.run()
    assert {seen.headers["authorization"] for seen in truth.seen} == {"bearer k3y"}


def test_a_server_without_models_says_what_to_do(load):
    async def none(_request, writer):
        writer.write(plain(b'{"data": []}'))

    with Truth(none) as truth, pytest.raises(LoadError, match="has no model"):
        load("llm", truth, requests=1).run()


# -- the parts ---------------------------------------------------------------------------------------


TEXT = st.text(max_size=20) | st.sampled_from(['"content":"x"', '\\"text\\":\\"', "data: [DONE]", '"usage":{', ""])


@given(texts=st.lists(TEXT, max_size=8), cuts=st.lists(st.integers(0, 5000), max_size=10), spaces=st.booleans())
def test_a_stream_split_anywhere_has_its_texts(texts, cuts, spaces):
    """What the quick reader counts is what a full parse of every message finds, whatever the texts are."""
    separators = (", ", ": ") if spaces else (",", ":")
    messages = [{"choices": [{"delta": {"content": text}}]} for text in texts]
    messages.append({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": len(texts)}})
    lines = [json.dumps(message, separators=separators) for message in messages]
    data = "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"]).encode()
    places = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    quick, whole = StreamReader(apis.OpenAI()), StreamReader(apis.OpenAI(), keeps_text=True)
    counted = [sum(r.feed(data[a:b]) for a, b in itertools.pairwise(places)) for r in (quick, whole)]
    assert counted == 2 * [sum(1 for text in texts if text)]
    assert "".join(whole.text) == "".join(texts)
    for reader in (quick, whole):
        assert reader.saw_end and reader.error is None and not reader.rest
        assert (reader.answer.tokens_in, reader.answer.tokens_out) == (3, len(texts))


def test_the_words_for_a_length_come_from_two_probes():
    words = prompts.Words.measured(20, 36, 120, 186)  # 1.5 tokens a word, 6 besides
    assert (words.tokens_per_word, words.overhead) == (1.5, 6.0)
    assert words.words_for(306) == 200
    assert prompts.Words.measured(20, 5, 120, 5).words_for(10) == 10, "a server that does not count"
    assert len(prompts.Words.text(50, random.Random(1)).split()) == 50


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[{"conversations": [{"from": "system", "value": "s"}, {"from": "human", "value": "hi"}]}]', [("hi", None)]),
        ('{"messages": [{"role": "user", "content": "hi"}]}\n{"prompt": "you", "output_tokens": 9}',
         [("hi", None), ("you", 9)]),
        ('["a", "b"]', [("a", None), ("b", None)]),
        ("first line\n\nsecond line\n", [("first line", None), ("second line", None)]),
        ('[{"conversations": [{"from": "gpt", "value": "x"}]}, {"text": "t"}]', [("t", None)]),
    ],
)  # fmt: skip
def test_files_of_prompts(tmp_path, text, expected):
    path = tmp_path / "prompts"
    path.write_text(text)
    assert prompts.read_prompts(path) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"conversations"', "line 1: no JSON"),
        ('{"prompt": "a"}\n{oops', "line 2: no JSON"),
        ('[{"answer": "x"}]', "entry 1 has none of"),
        ("[3]", "entry 1: a text or an object is expected"),
        ("\n\n", "has no prompts"),
    ],
)
def test_files_that_are_none(tmp_path, text, message):
    path = tmp_path / "prompts"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        prompts.read_prompts(path)


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({"turns": 2, "api": "openai-completions"}, ["turns"]),
        ({"shared_prefix": 200}, ["shared_prefix"]),
        ({"output_tokens_min": 9, "output_tokens_max": 5}, ["output_tokens_max"]),
        ({"input_tokens": 100, "input_tokens_stddev": 5.0, "input_tokens_max": 50}, ["input_tokens"]),
        ({}, []),
    ],
)
def test_settings_that_contradict_one_another(settings, wrong):
    check = registry.load("llm").check
    assert [name for name, _message, _remedy in check(registry.with_defaults("llm", settings))] == wrong

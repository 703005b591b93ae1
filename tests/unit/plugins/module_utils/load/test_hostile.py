# SPDX-License-Identifier: MIT
"""The load generator against answers that are made to break it: each is an error with a name, in bounded memory."""

from __future__ import annotations

import json
import logging
import resource

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import blocking, operation
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.http import exchange
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.llm import apis, stream
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.recorder import Recorder
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.url import Endpoint
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.pg_wire import Login, PgError, Scram
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError
from hypothesis import given
from hypothesis import strategies as st

from .hostile import CHUNKED, ENDLESS, HEAD, WRONG, Hostile, chunk, endless, plain, slowly

MOST_KIB = 200 << 10
MODELS = plain(b'{"data": [{"id": "m"}]}')
PROBE = plain(b'{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": 9, "completion_tokens": 1}}')


@pytest.fixture(autouse=True)
def quiet(caplog, unicode_table):
    """No exception reaches the event loop, and memory stays where it was."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_KIB


def of_load(answer):
    """Honest answers before the load, `answer` to its operations."""

    def choose(request: bytes):
        if b"/v1/models" in request:
            return [MODELS]
        return [PROBE] if b'"max_tokens":1,' in request or b'"max_tokens": 1,' in request else answer(request)

    return choose


def errors_of(load, server, workload="http", ends=False, **settings):
    """The errors of a short load: of some requests where the answers end, else of a time."""
    orders = [{"requests": 4}] if ends else [{"duration_s": seconds, "drain_s": 0.5} for seconds in (0.5, 2, 8, 30)]
    for order in orders:  # on a busy machine not one may be due within half a second
        result = load(workload, server, settings=settings, concurrency=2, **order).run()
        if result["errors"]:
            break
    assert result["errors"], result
    assert not ends or sum(error["count"] for error in result["errors"].values()) == 4
    assert all(0 < len(name) <= 80 and error["count"] for name, error in result["errors"].items())
    json.loads(json.dumps(result, allow_nan=False))
    return result["errors"]


LOADS = [("http", {}), ("http", {"contains": "needle"}), ("llm", {"stream": False}), ("llm", {"stream": True})]


@pytest.mark.parametrize(("workload", "settings"), LOADS)
@pytest.mark.parametrize("name", ENDLESS)
def test_an_answer_without_end(name, workload, settings, load, monkeypatch):
    monkeypatch.setattr(operation, "MOST_KEPT_BYTES", 4 << 20)
    with Hostile(of_load(endless(name))) as server:
        found = errors_of(load, server, workload, **settings)
    assert set(found) <= {"bad response", "unfinished", "connection closed"}


# to count an answer, a workload need not understand it
HARMLESS = {"invalid UTF-8", "invalid UTF-8 in a header", "many headers", "NaN", "numbers without end", "deep",
            "a list", "a word", "null", "wrong types", "a bomb"}  # fmt: skip


@pytest.mark.parametrize(("workload", "settings"), LOADS)
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer(name, workload, settings, load):
    with Hostile(of_load(lambda _request: [WRONG[name]])) as server:
        if workload == "http" and not settings and name in HARMLESS:
            result = load(workload, server, settings=settings, requests=3).run()
            assert result["errors"] == {} and result["operations"] == 3
            return
        found = errors_of(load, server, workload, ends=True, **settings)
    known = {"bad response", "connection closed", "wrong answer", "status 500", "stream cut short", "no tokens",
             "error in the stream", "unfinished"}  # fmt: skip
    assert set(found) <= known


@pytest.mark.parametrize("data", [plain(b"{}"), CHUNKED + chunk(b"{}") + b"0\r\n\r\n", HEAD + b"X: y\r\n" * 9])
def test_an_answer_that_drips(data, load):
    with Hostile(lambda _request: slowly(data)) as server:
        assert set(errors_of(load, server)) == {"unfinished"}


MESSAGES = {
    "no JSON": b"data: {\n\n",
    "a word": b'data: "text"\n\n',
    "NaN tokens": b'data: {"usage": {"completion_tokens": NaN}}\n\n',
    "tokens beyond all numbers": b'data: {"usage": {"completion_tokens": 1e400}}\n\n',
    "less than no tokens": b'data: {"usage": {"completion_tokens": -5}}\n\n',
    "deep": b'data: {"usage": {' + b"[" * 200_000 + b"\n\n",
    "text of the wrong type": b'data: {"choices": [{"delta": {"content": 5}}], "usage": {"a": 1}}\n\n',
    "an error with a script": b'data: {"error": "<script>alert(1)</script>"}\n\n',
    "invalid UTF-8": b'data: {"usage": {"a": "\xff"}}\n\n',
    "a line without end": b"data: " + b"x" * (3 << 20),
}


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("turns", [1, 2])  # only of a conversation that goes on every message is read
def test_a_stream_with_a_wrong_message(name, turns, load):
    text = b'data: {"choices": [{"delta": {"content": "word "}}]}\n\n'
    if turns == 1 and name in ("no JSON", "a word"):
        pytest.skip("a message without text, usage and end is not looked into")
    body = CHUNKED + chunk(text) + chunk(MESSAGES[name]) + chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"
    with Hostile(of_load(lambda _request: [body])) as server:
        found = errors_of(load, server, "llm", ends=True, turns=turns)
    assert set(found) <= {"error in the stream", "bad response", "wrong answer"}


def ask(answer) -> bytes:
    with Hostile(answer) as server:
        return blocking.request(Endpoint.of_service(server.service), "GET", "/", timeout_s=1.0)


@pytest.mark.parametrize("name", ENDLESS)
def test_a_request_outside_of_the_load_ends(name, monkeypatch):
    monkeypatch.setattr(exchange, "MOST_BYTES", 4 << 20)
    with pytest.raises(LoadError):
        ask(endless(name))


def test_a_request_outside_of_the_load_has_a_deadline():
    with pytest.raises(LoadError, match=r"no whole answer within 1 s"):
        ask(lambda _request: slowly(plain(b"x" * 1000)))


@pytest.mark.parametrize("name", WRONG)
def test_a_request_outside_of_the_load_brings_bytes_or_says_why_not(name):
    try:
        assert len(ask(lambda _request: [WRONG[name]])) < 1 << 20
    except LoadError as error:
        assert "127.0.0.1" in str(error)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(
                        st.sampled_from(["choices", "usage", "message", "content", "delta", "text", "data", "done",
                                         "embedding", "completion_tokens", "prompt_tokens", "eval_count", "response",
                                         "total_duration", "error", "embeddings"]), inner)))  # fmt: skip
def test_any_json_is_an_answer_or_an_error(value):
    data = json.dumps(value).encode()
    for name, make in apis.APIS.items():
        api = make()
        try:
            answer = api.whole(data)
        except stream.UNREADABLE:
            answer = apis.Answer("")
        assert isinstance(answer.text, str) and isinstance(answer.tokens_out or 0, int), name
        for keeps in (False, True):
            reader = stream.StreamReader(api, keeps)
            reader.feed(b"data: " + data + b"\n" + data + b"\ndata: [DONE]\n")
            assert isinstance("".join(reader.text), str)


def test_classes_of_errors_have_a_bound():
    recorder = Recorder(0.0, None)
    for number in range(1000):
        recorder.error(1.0, 1.0, f"{number:04d}" * 100)
    assert len(recorder.errors) == 101 and recorder.errors["other errors"]["count"] == 900


def test_a_database_does_not_keep_its_clients_busy():
    scram = Scram("password", nonce="n")
    scram.first()
    with pytest.raises(PgError, match="is no answer"):
        scram.final(b"r=nx,s=c2FsdA==,i=2000000000")
    with pytest.raises(PgError, match="cut short"):
        Login("u", "p").take(b"R", b"\0")

# SPDX-License-Identifier: MIT
"""What servers print for Prometheus, and what is read of it."""

from __future__ import annotations

import math

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics.exposition import parse
from hypothesis import given
from hypothesis import strategies as st

# of llama.cpp's server, vLLM and Milvus, in their own spelling
REAL = """\
# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed.
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total 1234
# TYPE llamacpp:requests_processing gauge
llamacpp:requests_processing 2
# HELP vllm:time_to_first_token_seconds Histogram of time to first token in seconds.
# TYPE vllm:time_to_first_token_seconds histogram
vllm:time_to_first_token_seconds_bucket{engine="0",le="0.001",model_name="tiny"} 0.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="+Inf",model_name="tiny"} 41.0
vllm:time_to_first_token_seconds_count{engine="0",model_name="tiny"} 41.0
vllm:time_to_first_token_seconds_sum{engine="0",model_name="tiny"} 0.71
# TYPE milvus_proxy_req_latency summary
milvus_proxy_req_latency{quantile="0.5",} 3.5 1395066363000
milvus_proxy_req_latency_count 7
# TYPE requests counter
requests_total{path="/a\\"}b"} 5e3 # {trace_id="x"} 1
requests_created{path="/"} 1.7e9
# EOF
"""


def test_real_lines():
    assert list(parse(REAL)) == [
        ("llamacpp:prompt_tokens_total", "", "counter", 1234.0),
        ("llamacpp:requests_processing", "", "gauge", 2.0),
        ("vllm:time_to_first_token_seconds_bucket", 'engine="0",le="0.001",model_name="tiny"', "counter", 0.0),
        ("vllm:time_to_first_token_seconds_bucket", 'engine="0",le="+Inf",model_name="tiny"', "counter", 41.0),
        ("vllm:time_to_first_token_seconds_count", 'engine="0",model_name="tiny"', "counter", 41.0),
        ("vllm:time_to_first_token_seconds_sum", 'engine="0",model_name="tiny"', "counter", 0.71),
        ("milvus_proxy_req_latency", 'quantile="0.5"', "gauge", 3.5),
        ("milvus_proxy_req_latency_count", "", "counter", 7.0),
        ("requests_total", 'path="/a\\"}b"', "counter", 5000.0),
        ("requests_created", 'path="/"', "gauge", 1.7e9),
    ]


@pytest.mark.parametrize("line", ["", "a", "a b", "a NaN", 'a{x="1" 2', "1a 2", "<html>", "a +Inf", "# TYPE a", "a{} "])
def test_what_is_no_number_is_left_out(line):
    assert list(parse(f"{line}\nb 1")) == [("b", "", "gauge", 1.0)]


NAMES = st.from_regex(r"[a-z_:][a-z0-9_:]{0,8}", fullmatch=True)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), max_size=8)


@given(st.lists(st.tuples(NAMES, st.dictionaries(NAMES, TEXTS, max_size=3), st.floats())))
def test_every_finite_sample_is_read(samples):
    lines, wanted = [], []
    for name, labels, value in samples:
        escaped = {k: v.replace("\\", r"\\").replace('"', r"\"") for k, v in labels.items()}
        text = ",".join(f'{k}="{v}"' for k, v in escaped.items())
        lines.append(f"{name}{{{text}}} {value!r}" if labels else f"{name} {value!r}")
        if math.isfinite(value):
            wanted.append((name, text, value))
    assert [(name, labels, value) for name, labels, _kind, value in parse("\n".join(lines))] == wanted


@given(st.text())
def test_nothing_breaks_it(text):
    for _name, _labels, kind, value in parse(text):
        assert kind in ("counter", "gauge") and math.isfinite(value)

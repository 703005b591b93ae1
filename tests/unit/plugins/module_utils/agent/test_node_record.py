# SPDX-License-Identifier: MIT
"""What an agent writes down of its node, and what of its job's environment."""

from __future__ import annotations

import json
import string

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import node, node_record, redaction, run_dir
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
def standin_nvidia_smi(tmp_path, monkeypatch):
    """A program of that name that prints what the function is given, and notes how it was called."""
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/called\ncat {tmp_path}/answer\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    return (tmp_path / "answer").write_text


def test_a_gpu_node(standin_nvidia_smi, tmp_path):
    standin_nvidia_smi(
        "0, GPU-a, NVIDIA A100-SXM4-40GB, 40960, 400.00, 535.104.05\n"
        "1, GPU-b, NVIDIA A100-SXM4-40GB, 40960, [N/A], 535.104.05\n"
    )
    environ = {"CUDA_VISIBLE_DEVICES": "1", "LOADEDMODULES": "env/1:CUDA/12.1"}
    found = node_record.collect(node.describe(), environ)
    assert found["gpus"] == [
        {"name": "NVIDIA A100-SXM4-40GB", "uuid": "GPU-b", "memory_bytes": 40960 << 20, "power_limit_w": None}
    ]
    assert found["gpu_driver"] == "535.104.05"
    assert found["modules_loaded"] == ["env/1", "CUDA/12.1"]
    assert "--query-gpu=index,uuid,name,memory.total,power.limit,driver_version" in (tmp_path / "called").read_text()


def test_every_null_says_why(standin_nvidia_smi):
    standin_nvidia_smi("No devices were found\n")
    for environ, why in (
        ({}, "the job has no GPU"),
        ({"SLURM_JOB_GPUS": "0"}, "nvidia-smi lists no GPU"),
    ):
        found = node_record.collect({**node.describe(), "cpu_model": None}, environ)
        assert {name for name, value in found.items() if value is None} == set(found["missing"])
        assert found["missing"]["gpus"] == found["missing"]["gpu_driver"] == why
        assert all(found["missing"].values())
        assert found["kernel"] and found["architecture"] and found["cpus_allowed"] > 0


def test_a_driver_that_does_not_answer(tmp_path, monkeypatch):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nexit 9\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    environ = {"CUDA_VISIBLE_DEVICES": "0"}
    assert node_record.collect({}, environ)["missing"]["gpus"] == "nvidia-smi ended with exit code 9"
    program.unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert node_record.collect({}, environ)["missing"]["gpus"].startswith("nvidia-smi: No such file")


def test_it_is_written_without_the_run_s_secrets(tmp_path, monkeypatch):
    (tmp_path / "secrets" / "db").mkdir(parents=True)
    (tmp_path / "secrets" / "env.service.WORD").write_text("tr0ub4dor&3\n")
    (tmp_path / "secrets" / "db" / "password").write_text("battery-staple")
    (tmp_path / "secrets" / run_dir.REGISTRIES).write_text('{"r": {"username": "u", "password": "pull-word"}, "q": {}}')
    monkeypatch.setenv("ARGS", "--key tr0ub4dor&3 --db battery-staple --run ID-1 --user u pull-word")
    spec = {"run_dir": str(tmp_path), "run_id": "ID-1"}
    node_record.write(run_dir.RunDir(spec), spec, "service-db/x", node.describe())
    [path] = (tmp_path / "nodes").iterdir()
    assert path.name.startswith("service-db_x-")
    record = json.loads(path.read_text())
    assert record["role"] == "service-db/x" and record["node"]
    assert record["environment"]["ARGS"] == "--key *** --db *** --run RUN_ID --user u ***"


def test_where_there_is_no_room_nothing_is_written_and_nothing_fails(tmp_path, capfd):
    (tmp_path / "nodes").write_text("a file in its place")
    spec = {"run_dir": str(tmp_path), "run_id": "ID-1"}
    node_record.write(run_dir.RunDir(spec), spec, "service", node.describe())
    assert str(tmp_path / "nodes") in capfd.readouterr().out


# -- redaction -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "HF_TOKEN", "PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY", "MY_PWD", "SSL_KEY", "github_pat",
        "SLACK_TOKEN_2", "REDIS_PASS", "SENTRY_DSN", "BASIC_AUTH", "GOOGLE_APPLICATION_CREDENTIALS", "MYAPIKEY",
    ],
)  # fmt: skip
def test_names_of_secrets(name):
    assert redaction.environment({name: "x"}) == {name: "***"}


@pytest.mark.parametrize("name", ["PATH", "OMP_NUM_THREADS", "KEYBOARD", "MONKEY", "LD_LIBRARY_PATH", "LANG"])
def test_names_of_others(name):
    assert redaction.environment({name: "x"}) == {name: "x"}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("http://u:p@proxy:3128/x", "http://***@proxy:3128/x"),
        ("https://ghp_0123456789012345678901234567890123456@host", "https://***@host"),
        ("-Dpassword=abc -Dx=1", "-Dpassword=*** -Dx=1"),
        ('{"api_key": "abc"}', '{"api_key": ***}'),
        ("Authorization: Bearer abcdefghijkl", "Authorization: Bearer ***"),
        ("hf_abcdefghijklmnopqrstuv rest", "*** rest"),
        ("a eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkw.c2ln b", "a *** b"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMII\n", "***"),
        ("/opt/cuda:/usr/bin", "/opt/cuda:/usr/bin"),
    ],
)
def test_values_that_look_like_secrets(value, shown):
    assert redaction.environment({"VALUE": value}) == {"VALUE": shown}


def test_what_is_of_the_moment_is_left_out_and_long_values_are_cut():
    moment = {
        "SLURM_JOB_ID": "1",
        "PWD": "/x",
        "SSH_CONNECTION": "1",
        "_": "x",
        "TMPDIR": "/tmp/1",
        "XDG_RUNTIME_DIR": "x",
    }
    found = redaction.environment({**moment, "LONG": "x" * 5000, "TMPFS": "1"})
    assert found == {"LONG": "x" * 4096 + "… (904 more characters)", "TMPFS": "1"}


words = st.text(string.ascii_letters + string.digits + "-_+/=", min_size=6, max_size=40)


@given(st.text(), words, st.text())
def test_a_known_secret_is_nowhere(before, secret, after):
    shown = redaction.environment({"VALUE": before + secret + after}, [secret])["VALUE"]
    assert secret not in shown or secret in "***"


@given(st.dictionaries(st.text(), st.text()))
def test_any_environment_can_be_told(environ):
    json.dumps(redaction.environment(environ))

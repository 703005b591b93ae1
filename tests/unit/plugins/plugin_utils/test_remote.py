# SPDX-License-Identifier: MIT
"""Remote over a connection that runs /bin/sh here: the same bytes as over ssh."""

from __future__ import annotations

import os
import subprocess

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.remote import ClusterUnreachable, Remote
from hypothesis import given, settings
from hypothesis import strategies as st


class ShellConnection:
    """Ansible's connection interface over a local shell."""

    transport = "ssh"
    options = {"remote_user": "u1", "host": "login.example", "port": 8822}

    def exec_command(self, command, in_data=None, sudoable=True):
        argv, options = ["/bin/sh", "-c", command], {"capture_output": True, "timeout": 20}
        if in_data:
            done = subprocess.run(argv, input=in_data, check=False, **options)
        else:  # a terminal, which never ends: as Ansible's ssh has it, also where the input is empty
            reader, writer = os.pipe()
            try:
                done = subprocess.run(argv, stdin=reader, check=False, **options)
            finally:
                os.close(reader)
                os.close(writer)
        return done.returncode, done.stdout, done.stderr

    def get_option(self, name):
        return self.options[name]


class DeadConnection(ShellConnection):
    """A connection that fails."""

    def exec_command(self, command, in_data=None, sudoable=True):
        raise AnsibleConnectionFailure("Failed to connect to the host via ssh: Host key verification failed.\r\n")


@pytest.fixture
def remote():
    return Remote(ShellConnection(), "site")


def test_shell_passes_arguments_and_input(remote):
    answer = remote.shell('printf "%s|" "$@"; cat', "a b", "c'd", "$HOME", stdin=b"\x00\xffin", counts=["squeue"])
    assert answer.rc == 0
    assert answer.stdout == b"a b|c'd|$HOME|\x00\xffin"
    assert remote.calls == {"ssh": 1, "squeue": 1}


def test_an_empty_input_ends(remote):
    assert remote.shell("cat; echo over", stdin=b"").stdout == b"over\n"


def test_argv_is_the_runner_of_the_slurm_client(remote):
    assert remote.argv(["sh", "-c", "cat; echo bad >&2; exit 3"], stdin="x") == (3, "x", "bad\n")


def test_batch_keeps_the_outputs_of_each_command_apart(remote):
    answers = remote.batch(
        {
            "one": ["printf", "no newline"],
            "two": ["sh", "-c", "echo out; echo err >&2; exit 7"],
            "three": ["missing-cmd"],
        }
    )
    assert answers["one"].out == "no newline"
    assert (answers["two"].rc, answers["two"].out, answers["two"].err) == (7, "out\n", "err\n")
    assert answers["three"].rc == 127
    assert remote.calls["ssh"] == 1


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\x00", codec="utf-8")), min_size=1, max_size=4))
def test_batch_returns_any_output_unchanged(texts):
    remote = Remote(ShellConnection(), "site")
    answers = remote.batch({str(number): ["printf", "%s", text] for number, text in enumerate(texts)})
    assert [answers[str(number)].out for number in range(len(texts))] == texts


class CutConnection(ShellConnection):
    """A connection that loses the end of the answer."""

    def exec_command(self, command, in_data=None, sudoable=True):
        rc, out, err = super().exec_command(command, in_data, sudoable)
        return rc, out[: len(out) // 2], err


def test_an_answer_that_is_cut_short_is_no_answer():
    with pytest.raises(ClusterUnreachable, match="cut short"):
        Remote(CutConnection(), "site").batch({"one": ["echo", "1"], "two": ["echo", "2"]})


def test_prefetched_answers_are_given_once_and_others_are_asked_for(remote):
    run = remote.prefetched([["echo", "one"], ["sh", "-c", "echo two >&2; exit 2"]])
    assert run(["echo", "one"]) == (0, "one\n", "")
    assert run(["sh", "-c", "echo two >&2; exit 2"]) == (2, "", "two\n")
    assert remote.calls == {"ssh": 1}
    assert run(["echo", "one"]) == (0, "one\n", "")
    assert run(["echo", "three"]) == (0, "three\n", "")
    assert remote.calls == {"ssh": 3}


def test_a_dead_cluster_is_named_with_what_to_check():
    with pytest.raises(ClusterUnreachable) as caught:
        Remote(DeadConnection(), "meluxina").shell("true")
    text = str(caught.value)
    assert (
        "cluster 'meluxina' can't be reached at u1@login.example, port 8822: Host key verification failed. Check"
        in text
    )
    assert "ansible_host" in text

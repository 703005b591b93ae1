# SPDX-License-Identifier: MIT
"""Runs many ansible-playbook commands from one process that has Ansible loaded already, two lists of them at once.

python docs_player.py JOBS.json   jobs: [{"folder", "home", "commands": [[word, …], …]}]. A job's commands run one after
another in its folder; the output and the exit code of command N are FOLDER/.N.out and FOLDER/.N.rc.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import subprocess
import sys
import traceback
from pathlib import Path

AT_ONCE = 2
# what most plays import: loaded once, and shared by the forks
LOADED = (
    "ansible.cli.playbook",
    "ansible.executor.playbook_executor",
    "ansible.executor.task_executor",
    "ansible.plugins.loader",
    "pandas",
    "pydantic",
    "scipy.stats",
)


def play(words: list[str]) -> int:
    """Run one command in this process and return its exit code; a command that is not Ansible's in one of its own."""
    if words[0] != "ansible-playbook":
        return subprocess.run(["bash", "-c", words[-1]], check=False).returncode
    from ansible.cli.playbook import PlaybookCLI

    sys.argv = words
    try:
        return PlaybookCLI(words).run() or 0
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 1
    except Exception:
        traceback.print_exc()
        return 250


def forked(words: list[str], output: Path) -> int:
    """Run one command in a fork, and return its exit code."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    code = play(words)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def work(job: dict) -> None:
    """Run the commands of a job."""
    folder = Path(job["folder"])
    os.chdir(folder)
    os.environ["AIFACTORY_HOME"] = job["home"]
    for number, words in enumerate(job["commands"]):
        code = forked(words, folder / f".{number}.out")
        (folder / f".{number}.rc").write_text(str(code))


def main(jobs: list[dict]) -> None:
    """Run all jobs, so many at once."""
    for name in LOADED:
        importlib.import_module(name)
    gc.freeze()
    running = 0
    for job in jobs:
        if running == AT_ONCE:
            os.wait()
            running -= 1
        if not os.fork():
            work(job)
            os._exit(0)
        running += 1
    for _each in range(running):
        os.wait()


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))

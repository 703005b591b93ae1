# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The run directory on the cluster's shared file system, and what the agents tell one another through it.

Shared file systems remember for a while that a file was not there, and its times. So whether something appeared
is asked of its directory, opening it, and a heartbeat is the file's content, judged by the reader's own clock.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import contextlib
import json
import os
import threading
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.console import tell
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import NO_SPACE, AgentError, explain

HEARTBEAT_S = 2.0
STALE_S = 60.0
RESERVE_BYTES = 1 << 16

ENDPOINT, SERVICE_ALIVE, CLIENTS_ALIVE = "endpoint.json", "service.alive", "clients.alive"
REGISTRIES = "registries.json"  # among the secrets
CLIENTS_DONE, SERVICE_FAILED, STOP = "clients.done", "service.failed", "stop"
PREFETCH_DONE = "prefetch.done"


def read_spec(path):
    """spec.json (dict). Raises AgentError."""
    try:
        with open(path) as stream:
            spec = json.load(stream)
    except (OSError, ValueError) as e:
        raise AgentError("cannot read %s: %s" % (path, e))
    missing = [key for key in ("run_id", "run_dir") if not spec.get(key)]
    if missing:
        raise AgentError("%s lacks %s" % (path, ", ".join(missing)))
    return spec


_reserves = []  # paths of this process's own


def reserve(path):
    """Keep room for what this process has to say at its end, should the disk be full by then. Raises AgentError."""
    try:
        with open(path, "wb") as stream:
            stream.write(bytes(RESERVE_BYTES))
    except OSError as e:
        raise AgentError(explain(e))
    _reserves.append(path)


def write_text(path, text, mode=0o644):
    """Write a file so that no reader ever sees half of it. On a full disk the room that was reserved is used."""
    try:
        _write(path, text, mode)
    except OSError as e:
        if e.errno not in NO_SPACE or not release_reserves():
            raise
        _write(path, text, mode)


def release_reserves():
    """Give the room that was reserved to whom it was reserved for. Returns whether there was any."""
    given = bool(_reserves)
    while _reserves:
        os.unlink(_reserves.pop())
    return given


def _write(path, text, mode):
    part = "%s.part-%d" % (path, os.getpid())
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as stream:
            stream.write(text)
        os.replace(part, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise


def write_if_room(path, text):
    """Like write_text, of what a run can do without. Returns whether it was written: not where there is no room."""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        _write(path, text, 0o644)
    except OSError as e:
        tell("%s: %s" % (path, e.strerror))
        return False
    return True


def write_json(path, data):
    """Like write_text, of JSON."""
    write_text(path, json.dumps(data, separators=(",", ":")) + "\n")


def read_json(path, deadline_s=0.0):
    """Read a JSON file of another node, waiting for it to appear. Raises AgentError."""
    end = time.time() + deadline_s
    while True:
        try:
            os.listdir(os.path.dirname(path))
            with open(path) as stream:
                return json.load(stream)
        except (OSError, ValueError) as e:
            if time.time() >= end:
                raise AgentError("cannot read %s: %s" % (path, e))
        time.sleep(0.05)


def refuse_second_start():
    """Raises AgentError in a job that Slurm started again: half of a measurement can't be continued."""
    if int(os.environ.get("SLURM_RESTART_COUNT") or 0) > 0:
        raise AgentError("the job was requeued and started a second time: start the run again")


def tail(path, lines=20, most_bytes=8192):
    """The last lines (list of str) of a text file, [] when there is none."""
    try:
        with open(path, "rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - most_bytes))
            return stream.read().decode("utf-8", "replace").splitlines()[-lines:]
    except FileNotFoundError:
        return []


def file_name(text):
    """A case's or metric's name as part of a file's name."""
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in text)


def service_part(spec):
    """What the names of a service's files and directories begin with (str): of a companion with its name."""
    return "service-" + spec["companion"] if spec.get("companion") else "service"


def secret_file(part, name):
    """The name (str) of the file in `secrets` with the value of an environment variable. part: service or clients."""
    return "env.%s.%s" % (part, name)


def secret_variables(root, part, names):
    """Environment variables (dict of str) whose values were shipped as files. Raises AgentError when one is missing."""
    found = {}
    for name in names:
        try:
            with open(os.path.join(root, "secrets", secret_file(part, name))) as stream:
                found[name] = stream.read()
        except OSError as e:
            raise AgentError("the secret %s of the recipe is not there: %s" % (name, e.strerror))
    return found


class RunDir:
    """Paths of one run, and its control files."""

    def __init__(self, spec):
        self.root = spec["run_dir"]

    def path(self, *parts):
        """A path (str) below the run directory; its directory is made."""
        path = os.path.join(self.root, *parts)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def control(self, name):
        """The path of a control file."""
        return self.path("control", name)

    def signs(self):
        """The names (set of str) of the control files that are there now."""
        return set(os.listdir(os.path.dirname(self.control("x"))))

    def logs(self, name):
        """The path of a log file."""
        return self.path("logs", name)


class Heartbeat(threading.Thread):
    """Writes the time into a control file every two seconds until `stop` is called."""

    def __init__(self, path):
        super().__init__(name="heartbeat")
        self.daemon = True
        self.path = path
        self.ended = threading.Event()
        self.beat()

    def beat(self):
        """Once: over what was there, which needs no room on a full disk."""
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, b"%.3f\n" % time.time())
        finally:
            os.close(descriptor)

    def run(self):
        """A file system that is slow for a moment must not end the run: the next beat may succeed."""
        while not self.ended.wait(HEARTBEAT_S):
            try:
                self.beat()
            except OSError as e:
                tell("heartbeat: %s" % e)

    def stop(self):
        """No more beats."""
        self.ended.set()


class Pulse:
    """Watches another's heartbeat: how long ago, by this machine's clock, it last changed."""

    def __init__(self, path):
        self.path = path
        self.last = None
        self.changed_at = None

    def silent_s(self):
        """Seconds since the last change; None when there never was a heartbeat."""
        try:
            with open(self.path) as stream:
                now = stream.read()
        except OSError:
            now = self.last  # not there yet, or for a moment not to be read: not a beat
        if now and now != self.last:
            self.last = now
            self.changed_at = time.monotonic()
        return None if self.changed_at is None else time.monotonic() - self.changed_at

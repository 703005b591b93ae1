# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pulls an image into the cache, once: whoever comes second waits, and finds it there.

Beside X.sif lies X.sif.json: {"reference", "digest", "sha256", "bytes", "pulled_at"}.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import fcntl
import hashlib
import os
import signal
import subprocess
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import run_dir
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import AgentError
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.events import EventLog

_LOCK_POLL_S = 0.2
_NO_LOCKS = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK)


def fetch(options):
    """Have the image at options.dest. Returns the exit code: 0, or 1 with the event `failed`."""
    events = None
    if options.spec:
        events = EventLog(run_dir.RunDir(run_dir.read_spec(options.spec)).path("events", "image.jsonl"), "image")
    signal.signal(signal.SIGTERM, _ended)
    try:
        done = _fetch_locked(options, events)
    except (AgentError, OSError) as e:
        if events:
            events.emit("failed", reason=str(e), log_tail=getattr(e, "log_tail", []), reference=options.reference)
        raise AgentError("%s: %s" % (options.reference, e))
    if events:
        events.emit("pull_done", **done)
    return 0


def _ended(number, frame):
    raise AgentError("the job was cancelled or reached its time limit")


def pinned(reference, digest):
    """A docker:// reference with its tag replaced by a digest; others, or without a digest, unchanged."""
    if not digest or not reference.startswith("docker://"):
        return reference
    name = reference.split("@", 1)[0]
    head, slash, last = name.rpartition("/")
    return head + slash + last.split(":", 1)[0] + "@" + digest


def _fetch_locked(options, events):
    dest = os.path.abspath(options.dest)
    os.makedirs(os.path.dirname(dest), exist_ok=True)
    with open(dest + ".lock", "a") as lock:
        _lock(lock, dest)
        known = _known(dest)
        if known and (not options.digest or known["digest"] == options.digest):
            return dict(known, cached=True)
        if events:
            events.emit("pull_started", reference=options.reference, dest=dest)
        part = "%s.part-%d" % (dest, os.getpid())
        try:
            _pull(options.runtime, pinned(options.reference, options.digest), part)
            sha256, size = _checksum(part)
            os.replace(part, dest)
        finally:
            if os.path.exists(part):
                os.unlink(part)
        done = {"reference": options.reference, "digest": options.digest, "sha256": sha256, "bytes": size}
        run_dir.write_json(dest + ".json", dict(done, pulled_at=round(time.time(), 3)))
        return dict(done, cached=False)


def _lock(stream, dest):
    """flock, which the kernel drops with the process; where a Lustre mount has none, POSIX locks."""
    for method in (fcntl.flock, fcntl.lockf):
        while True:
            try:
                return method(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as e:
                if e.errno in _NO_LOCKS:
                    break
                if e.errno not in (errno.EAGAIN, errno.EACCES):
                    raise
            time.sleep(_LOCK_POLL_S)
    raise AgentError("the file system of %s has no locks: set benchmark_image_cache to one that has" % dest)


def _known(dest):
    """What is known of an image that is there already; None when it must be pulled."""
    if not os.path.exists(dest):
        return None
    try:
        known = run_dir.read_json(dest + ".json")
    except AgentError:  # put there by hand: what it came from is not known
        sha256, size = _checksum(dest)
        return {"reference": None, "digest": None, "sha256": sha256, "bytes": size}
    known.pop("pulled_at", None)
    return known


def _pull(runtime, reference, dest):
    try:
        process = subprocess.Popen(
            [runtime, "pull", "--force", dest, reference],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
            errors="replace",
        )
    except OSError as e:
        raise AgentError("cannot start %s on this node: %s; see benchmark_modules" % (runtime, e.strerror))
    tail = []
    try:
        for line in process.stdout:
            print(line, end="", flush=True)
            tail = [*tail[-19:], line.rstrip()]
    finally:
        process.terminate()  # without effect on one that has ended
        code = process.wait()
    if code:
        raise AgentError("%s pull ended with exit code %d: %s" % (runtime, code, tail[-1] if tail else ""), tail, code)


def _checksum(path):
    found = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            found.update(block)
    return found.hexdigest(), os.path.getsize(path)

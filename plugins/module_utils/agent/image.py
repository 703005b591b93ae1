# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Has an image in the cache, once: whoever comes second waits, and finds it there."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import json
import os
import signal
import subprocess

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import run_dir
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import AgentError
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.events import EventLog
from ansible_collections.aifactory.benchmark.plugins.module_utils.apptainer import source
from ansible_collections.aifactory.benchmark.plugins.module_utils.apptainer.image import (
    ImageError,
    cache_name,
    ensure,
    execute,
    normalise,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.apptainer.registry import host_of
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.processes import stop_group


def fetch(options):
    """Have options.reference at options.dest, or in options.cache with options.link to it. Returns 0.

    With the events of a run when options.spec names one. Raises AgentError with the runtime's own words.
    """
    signal.signal(signal.SIGTERM, _ended)
    run, events = execute, None
    if options.spec:
        where = run_dir.RunDir(run_dir.read_spec(options.spec))
        events = EventLog(where.path("events", "image.jsonl"), "image")
        run = Logged(where.logs("image.log"))
        events.emit("pull_started", reference=options.reference, dest=options.dest or options.link)
    try:
        registry = _registry(options)
        facts = ensure(
            options.reference,
            _dest(options),
            options.runtime,
            run=run,
            digest=options.digest,
            credentials=(registry["username"], registry["password"]) if "username" in registry else None,
            no_https=registry.get("insecure", False),
        )
        if options.link:
            _link(facts["path"], options.link)
    except (ImageError, AgentError, OSError) as e:
        if events:
            events.emit("failed", reason=str(e), reference=options.reference, log_tail=getattr(e, "log_tail", []))
        raise AgentError(str(e))
    if events:
        done = {name: facts[name] for name in ("reference", "sha256", "bytes")}
        events.emit("pull_done", cached=not facts["changed"], digest=facts["digest"] or facts["source"], **done)
    return 0


class Logged:
    """Runs the runtime for `ensure`, and keeps what it writes in a log file (path) as it comes."""

    def __init__(self, path):
        self.path = path

    def __call__(self, argv, env=None):
        """(rc, "", what it wrote); rc 127 when it is not there."""
        with open(self.path, "ab") as log:
            begin = log.tell()
            try:
                # in a job there is no AnsibleModule
                process = subprocess.Popen(  # pylint: disable=ansible-bad-function
                    argv,
                    env=dict(os.environ, **(env or {})),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            except OSError as e:
                if e.errno not in (errno.ENOENT, errno.EACCES):
                    raise
                return 127, "", "%s: %s" % (argv[0], e.strerror)
            try:
                code = process.wait()
            finally:
                stop_group(process)  # when the job is cancelled
        with open(self.path, "rb") as log:
            log.seek(begin)
            return code, "", log.read().decode("utf-8", "replace")


def _dest(options):
    """The path (str) of the SIF file."""
    if options.dest:
        return os.path.abspath(options.dest)
    if not options.cache:
        raise AgentError("give --dest, or --cache")
    try:
        content = source.content_of(options.reference)
    except OSError as e:
        raise AgentError(
            "cannot get the image %s: %s: %s (the image's node has to read it)"
            % (options.reference, e.filename, e.strerror)
        )
    name = source.cache_name(options.reference, content) if content else cache_name(options.reference)
    return os.path.join(os.path.abspath(options.cache), name)


def _link(path, link):
    part = "%s.part-%d" % (link, os.getpid())
    os.makedirs(os.path.dirname(os.path.abspath(link)), exist_ok=True)
    os.symlink(path, part)
    os.replace(part, link)


def _registry(options):
    """What was shipped of the registry of this image (dict: username, password, insecure); {} without."""
    if not options.spec:
        return {}
    path = os.path.join(run_dir.read_spec(options.spec)["run_dir"], "secrets", run_dir.REGISTRIES)
    try:
        with open(path) as stream:
            known = json.load(stream)
    except FileNotFoundError:
        return {}
    return known.get(host_of(normalise(options.reference))) or {}


def _ended(number, frame):
    raise AgentError("the job was cancelled or reached its time limit")

# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Node-local directories of a run: NODE_TMP/aifactory-RUN_ID-WHAT, private, and gone when the run is."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import shutil
import stat

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import AgentError


def path(spec, what):
    """The path (str) of the directory for `what`: service, setup, client-NNN."""
    return os.path.join(spec.get("node_tmp") or "/tmp", "aifactory-%s-%s" % (spec["run_id"], what))


def client(number):
    """The `what` of a client."""
    return "client-%03d" % number


def make(path):
    """Make an empty directory of mode 0700. Raises AgentError when somebody else has put something there."""
    try:
        os.mkdir(path, 0o700)
        return
    except FileExistsError:
        found = os.lstat(path)
    except OSError as e:
        raise AgentError("cannot make the directory %s: %s; see benchmark_node_tmp" % (path, e.strerror))
    if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode):
        raise AgentError(
            "the directory %s exists already and belongs to user %d: have it removed, or set "
            "benchmark_node_tmp to another directory" % (path, found.st_uid)
        )
    problem = remove(path)  # of an earlier start of this very run
    if problem:
        raise AgentError("the directory %s of an earlier start cannot be removed: %s" % (path, problem))
    os.mkdir(path, 0o700)


def remove(path):
    """Remove a directory with all that is in it. Returns the first problem (str), or None."""
    problems = []

    def retry(function, name, info):
        try:
            # What the service made read-only; never above the directory itself, whose parent is everybody's.
            for own in [os.path.dirname(name)] * (name != path) + [name]:
                if not os.path.islink(own):
                    os.chmod(own, 0o700)
            function(name)
        except OSError as e:
            problems.append("%s: %s" % (name, e.strerror))

    if os.path.lexists(path):
        shutil.rmtree(path, onerror=retry)
    if os.path.lexists(path) and not problems:
        problems.append("%s: it is no directory of this run" % path)
    return problems[0] if problems else None

# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A job's environment without its secrets: by the variable's name, by what values look like, by what is known. Pure.

It is what a user's login shell exports, and becomes part of the results.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

HIDDEN = "***"
MOST_CHARACTERS = 4096  # of one value
SHORTEST_SECRET = 6  # characters; what is shorter could be any word
_NAME = re.compile(
    r"pass(?:word|wd|phrase|code)?(?:$|_)|_pass|password|passwd|secret|token|credential|cookie|jwt|bearer"
    r"|(?:^|_)(?:pwd|pw|auth|authorization|key|pat|sas|dsn|signature|netrc)(?:$|_)|(?:api|access|private|account)_?key",
    re.IGNORECASE,
)
_VALUES = (
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/@]+@", re.IGNORECASE), r"\1" + HIDDEN + "@"),
    (re.compile(r"((?:bearer|basic)\s+)[A-Za-z0-9+/=._~-]{8,}", re.IGNORECASE), r"\1" + HIDDEN),
    (
        re.compile(
            r"([a-z0-9_.-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key)[\"']?\s*[=:]\s*)"
            r"(?:\"[^\"]*\"|'[^']*'|[^\s\"',;&]+)",
            re.IGNORECASE,
        ),
        r"\1" + HIDDEN,
    ),
    # as Hugging Face, GitHub, GitLab, OpenAI, Slack, AWS, Google, NVIDIA and JSON Web Tokens are written
    (
        re.compile(
            r"\b(?:hf_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|sk-[\w-]{16,}"
            r"|xox[abprs]-[\w-]{10,}|A(?:KI|SI)A[0-9A-Z]{16}|AIza[\w-]{30,}|nvapi-[\w-]{20,}"
            r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)"
        ),
        HIDDEN,
    ),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*", re.DOTALL), HIDDEN),
)
# Of one job, one login or one shell: what it says of the run is in the scripts and in Slurm's records.
_OF_THE_MOMENT = re.compile(
    r"(?:SLURM|SLURMD|SRUN|SBATCH|PMI|PMIX|SSH|XDG|DBUS|BASH_FUNC|GPG|LESS|LS_|WINDOW|KRB5|DISPLAY|XAUTH).*"
    r"|PWD|OLDPWD|SHLVL|_|TERM|HOSTNAME|HOST|MAIL|TMPDIR|SUDO_.*|AIFACTORY_CLIENT|ROCR_VISIBLE_DEVICES|GPU_DEVICE_ORDINAL"
    r"|ENVIRONMENT|.*_(?:PID|SESSION_ID)"
)


def text(value, secrets=()):
    """A text without what looks like a secret, and without these (list of str)."""
    for secret in secrets:
        for line in secret.splitlines():
            if len(line.strip()) >= SHORTEST_SECRET:
                value = value.replace(line.strip(), HIDDEN)
    for pattern, replacement in _VALUES:
        value = pattern.sub(replacement, value)
    return value


def is_secret(name):
    """Whether a variable of this name holds a secret."""
    return _NAME.search(name) is not None


def environment(environ, secrets=(), run_id=""):
    """What `environ` says of how a program runs (dict of str): sorted, without secrets, bounded.

    Left out is what is of one job, login or shell; the run's id becomes RUN_ID, so that two runs can be compared.
    """
    found = {}
    for name in sorted(environ):
        if _OF_THE_MOMENT.fullmatch(name):
            continue
        if is_secret(name):
            found[name] = HIDDEN if environ[name] else ""
            continue
        value = text(environ[name].encode("utf-8", "replace").decode("utf-8"), secrets)
        value = value.replace(run_id, "RUN_ID") if run_id else value
        if len(value) > MOST_CHARACTERS:
            value = "%s… (%d more characters)" % (value[:MOST_CHARACTERS], len(value) - MOST_CHARACTERS)
        found[name] = value
    return found

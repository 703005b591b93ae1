# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of sbatch, on its command line and in a script's #SBATCH lines, as values. No I/O.

sbatch reads them itself; slurmrestd does not look into the script, so that they are read here.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import shlex

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.errors import SlurmError

# Source: sbatch(1). Options with a value that slurmrestd has a field for, by their short letter where there is one.
_WITH_VALUE = {
    "account": "A", "array": "a", "begin": "b", "chdir": "D", "comment": "", "constraint": "C", "cpus-per-task": "c",
    "deadline": "", "dependency": "d", "error": "e", "exclude": "x", "export": "", "gpus-per-node": "", "gres": "",
    "input": "i", "job-name": "J", "kill-on-invalid-dep": "", "licenses": "L", "mem": "", "mem-per-cpu": "",
    "nodelist": "w", "nodes": "N", "ntasks": "n", "ntasks-per-node": "", "open-mode": "", "output": "o",
    "partition": "p", "qos": "q", "reservation": "", "signal": "", "time": "t", "wckey": "",
}  # fmt: skip
_FLAGS = {"exclusive": "", "hold": "H", "requeue": "", "no-requeue": ""}
# Options that say how sbatch talks to its user, and nothing about the job.
_OF_SBATCH = {"parsable": "", "quiet": "Q"}
_LETTERS = {letter: name for names in (_WITH_VALUE, _FLAGS, _OF_SBATCH) for name, letter in names.items() if letter}


def _refuse(word, where, why, remedy):
    return SlurmError("usage", "{0}: the option {1} {2}".format(where, word, why), remedy)


def _split(word, where):
    """(name, value or None) of one word such as --time=5, --time, -t5 or -t."""
    if word.startswith("--"):
        name, equals, value = word[2:].partition("=")
        value = value if equals else None
    elif word.startswith("-") and len(word) > 1:
        name, value = _LETTERS.get(word[1]), word[2:] or None
    else:
        name = value = None
    if name not in _WITH_VALUE and name not in _FLAGS and name not in _OF_SBATCH:
        raise _refuse(
            word,
            where,
            "is none that can be given to slurmrestd",
            "remove it, or reach Slurm by its commands (benchmark_slurm_transport: shell)",
        )
    return name, value


def parse(words, where):
    """Options (dict of long name without dashes → str, flags → True) of a list of words; the last one counts.

    where (str) says in messages where the words stand. Raises SlurmError for what slurmrestd has no field for.
    """
    found, left = {}, list(words)
    while left:
        word = left.pop(0)
        name, value = _split(word, where)
        if name in _WITH_VALUE:
            if value is None:
                if not left:
                    raise _refuse(word, where, "lacks its value", "give it as {0}=VALUE".format(word))
                value = left.pop(0)
            found[name] = value
        elif name == "exclusive" and value not in (None, ""):
            raise _refuse(word, where, "can only be given without a value to slurmrestd", "write --exclusive")
        elif name in _FLAGS:
            found[name] = True
    return found


def of_script(text):
    """Options (list of dict, one per component) in the #SBATCH lines of a script, before its first command."""
    found = [{}]
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            break
        if not line.startswith("#SBATCH"):
            continue
        where = "line {0} of the script".format(number)
        try:
            words = shlex.split(line[len("#SBATCH") :], comments=True)
        except ValueError as error:
            raise SlurmError("usage", "{0}: {1}".format(where, error), "correct the quotes")
        if words in (["hetjob"], ["packjob"]):
            found.append({})
        else:
            found[-1].update(parse(words, where))
    return found

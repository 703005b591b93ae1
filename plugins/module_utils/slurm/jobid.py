# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Job ids as Slurm prints them: `11`, `11_3`, `11_[10-99:2%10]`, `29+1`, `11.batch`. No I/O."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

_FORM = re.compile(
    r"^(?P<base>\d+)"
    r"(?:_(?P<task>\d+)|_\[(?P<tasks>[^\]]*)\]|\+(?P<component>\d+))?"
    r"(?:\.(?P<step>[\w+.-]+))?"
    r"(?:;(?P<cluster>\S+))?$"
)
_RANGE = re.compile(r"^(\d+)(?:-(\d+)(?::(\d+))?)?$")
MAX_TASKS = 4000001  # the largest MaxArraySize that Slurm takes


class JobId:
    """The parts of a job id: base (str), task (int or None), tasks (list of int: of a pending array row),
    limit (int or None: the array's `%N`), component (int or None: of a heterogeneous job), step, cluster (str or None).
    """

    def __init__(self, text):
        """Raises ValueError when the text is no job id."""
        match = _FORM.match(str(text).strip())
        if not match:
            raise ValueError("{0!r} is no Slurm job id: expected such as 1234, 1234_5 or 1234+0".format(text))
        part = match.groupdict()
        self.base = part["base"]
        self.task = int(part["task"]) if part["task"] is not None else None
        self.component = int(part["component"]) if part["component"] is not None else None
        self.step = part["step"]
        self.cluster = part["cluster"]
        self.tasks, self.limit = task_list(part["tasks"]) if part["tasks"] is not None else ([], None)

    @property
    def is_whole(self):
        """True for the id of a whole job, array or heterogeneous job (`11`), as sbatch prints it."""
        return self.task is None and not self.tasks and self.component is None and self.step is None

    def covers(self, other):
        """True when the job row of this id speaks for the job `other` (JobId): itself, or a task or component of it."""
        if self.base != other.base:
            return False
        if other.is_whole:
            return True
        if other.component is not None:
            return self.component == other.component
        return other.task is not None and (self.task == other.task or other.task in self.tasks)


def task_list(text):
    """(task numbers, limit) of the index list of a job array: `0-9:3,20%2` gives ([0, 3, 6, 9, 20], 2)."""
    indices, percent, limit = text.partition("%")
    tasks = []
    for item in indices.split(","):
        match = _RANGE.match(item.strip())
        if not match:
            raise ValueError("{0!r} is no list of array tasks: expected such as 0-9%4 or 1,3,7".format(text))
        low, high = int(match.group(1)), int(match.group(2) or match.group(1))
        step = int(match.group(3) or 1)
        if step < 1 or high < low or (high - low) // step >= MAX_TASKS:
            raise ValueError("{0!r}: {1!r} is no range of array tasks".format(text, item))
        tasks.extend(range(low, high + 1, step))
    if percent and not limit.strip().isdigit():
        raise ValueError("{0!r}: after % comes the number of tasks that may run at once".format(text))
    return tasks, int(limit) if percent else None


def is_job_id(text):
    """True when the text is an id that squeue, sacct and scancel take (no steps, no lists)."""
    try:
        found = JobId(text)
    except ValueError:
        return False
    return found.step is None and not found.tasks and found.cluster is None

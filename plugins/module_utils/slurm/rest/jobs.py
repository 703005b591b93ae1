# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Jobs and steps out of slurmrestd's answers, of slurmctld (/slurm/) and of slurmdbd (/slurmdb/). No I/O."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import hostlist, states, table, usage
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.job import Job
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.rest.answers import number

CONTROLLER, ACCOUNTING = "slurm", "slurmdb"  # Job.source: as the paths begin


def _tasks(text):
    """A list of array tasks as squeue prints it: of such a list, or of a mask of bits (`0xFC%2` for 2 to 7)."""
    mask, percent, limit = text.partition("%")
    if not mask.startswith("0x"):
        return text.partition(",...")[0]  # slurmrestd's own SLURM_BITSTR_LEN may have cut it short
    bits = int(mask, 16)
    return ",".join(str(task) for task in range(bits.bit_length()) if bits >> task & 1) + percent + limit


def _id(job_id, array_job_id, task_id, tasks, het):
    """An id as squeue prints it; het: (id of the whole or None, number of the component or None)."""
    if array_job_id:
        if task_id is None and tasks:
            return "{0}_[{1}]".format(array_job_id, _tasks(tasks))
        return str(array_job_id) if task_id is None else "{0}_{1}".format(array_job_id, task_id)
    return "{0}+{1}".format(het[0], het[1] or 0) if het[0] else str(job_id)


def _exit(value, ok):
    """(code, signal) of an exit status: of the raw wait status (int), or of a structure.

    Accounting of 22.05 says SUCCESS and 0 of jobs that failed: then nothing is known (None).
    """
    if not isinstance(value, dict):
        status = number(value)
        return (None, None) if status is None else (status >> 8 & 0xFF, status & 0x7F)
    if value.get("status") == "SUCCESS" and not ok:
        return None, None
    signal = value.get("signal") or {}
    name = next((signal[key] for key in ("id", "signal_id") if key in signal), None)
    return number(value.get("return_code")) or 0, number(name) or 0


def _state(value):
    """A state, which is text, or a list of a state and flags."""
    return value if isinstance(value, list) else str(value or "")


def controller_jobs(answer):
    """Jobs (list of Job) of slurmctld's answer: one per job, array task that has started, and component."""
    return [_controller_job(entry) for entry in answer.get("jobs") or []]


def _controller_job(entry):
    state = _state(entry.get("job_state"))
    phase = states.phase(state)
    ended, waiting = phase == states.FINISHED, phase in (states.PENDING, states.HELD)
    nodes = hostlist.expand(entry.get("nodes"))
    start, end = number(entry.get("start_time")) or None, number(entry.get("end_time")) or None
    limit = number(entry.get("time_limit"))
    code, signal = _exit(entry.get("exit_code"), states.is_ok(state))
    # A job that is cancelled while it waits has its end as its start.
    started = not waiting and (nodes or not ended)
    tres = table.tres(entry.get("tres_alloc_str") or entry.get("tres_req_str"))
    job_id = number(entry.get("job_id"))
    het = (number(entry.get("het_job_id")) or None, number(entry.get("het_job_offset")))
    return Job(
        id=_id(
            job_id,
            number(entry.get("array_job_id")),
            number(entry.get("array_task_id")),
            table.value(entry.get("array_task_string")),
            het,
        ),
        raw_id=str(job_id),
        name=entry.get("name"),
        user=table.value(entry.get("user_name")),
        state=state,
        reason=table.value(entry.get("state_reason")),
        partition=table.value(entry.get("partition")),
        account=table.value(entry.get("account")),
        qos=table.value(entry.get("qos")),
        nodes=nodes,
        node_count=number(entry.get("node_count")),
        submit_s=number(entry.get("submit_time")) or None,
        eligible_s=number(entry.get("eligible_time")) or None,
        start_s=start if started else None,
        expected_start_s=start if waiting else None,
        end_s=end if ended else None,
        elapsed_s=max(0, end - start) if ended and started and start and end else (0 if ended else None),
        time_limit_s=None if limit is None else limit * 60,
        exit_code=code if ended else None,
        signal=signal if ended else None,
        derived_exit_code=_exit(entry.get("derived_exit_code"), states.is_ok(state))[0] if ended else None,
        tres=tres,
        work_dir=table.value(entry.get("current_working_directory")),
        comment=table.value(entry.get("comment")),
        dependency=table.value(entry.get("dependency")),
        source=CONTROLLER,
    )


def accounting_jobs(answer):
    """Jobs (list of Job) of slurmdbd's answer, each with the steps that are in it."""
    return [_accounting_job(entry) for entry in answer.get("jobs") or []]


def _accounting_id(entry):
    array, het = entry.get("array") or {}, entry.get("het") or {}
    return _id(
        number(entry.get("job_id")),
        number(array.get("job_id")),
        number(array.get("task_id")),
        table.value(array.get("task")),
        (number(het.get("job_id")) or None, number(het.get("job_offset"))),
    )


def amounts(entries):
    """Trackable resources (dict, mem in bytes) of a list of type, name, count."""
    found = {}
    for item in _list(entries):
        name = "{0}/{1}".format(_at(item, "type"), _at(item, "name")) if _at(item, "name") else _at(item, "type")
        count = number(_at(item, "count"))
        if name and count is not None and count >= 0:
            found[str(name)] = count * (1024**2 if name == "mem" else 1)
    return found


def _accounting_job(entry):
    state = _state((entry.get("state") or {}).get("current"))
    phase = states.phase(state)
    ended, waiting = phase == states.FINISHED, phase in (states.PENDING, states.HELD)
    nodes = hostlist.expand(entry.get("nodes"))
    times = entry.get("time") or {}
    start = number(times.get("start")) or None
    limit = number(times.get("limit"))
    code, signal = _exit(entry.get("exit_code"), states.is_ok(state))
    killer = str(entry.get("kill_request_user") or "")
    started = not waiting and (nodes or not ended)
    comment = entry.get("comment")
    tres = entry.get("tres") or {}
    return Job(
        id=_accounting_id(entry),
        raw_id=str(number(entry.get("job_id"))),
        name=entry.get("name"),
        user=table.value((entry.get("association") or {}).get("user")),
        state=state,
        reason=table.value((entry.get("state") or {}).get("reason")),
        partition=table.value(entry.get("partition")),
        account=table.value(entry.get("account")),
        qos=table.value(entry.get("qos")),
        nodes=nodes,
        node_count=number(entry.get("allocation_nodes")),
        submit_s=number(times.get("submission")) or None,
        eligible_s=number(times.get("eligible")) or None,
        start_s=start if started else None,
        expected_start_s=start if waiting else None,
        end_s=(number(times.get("end")) or None) if ended else None,
        elapsed_s=number(times.get("elapsed")),
        time_limit_s=None if limit is None else limit * 60,
        exit_code=code if ended else None,
        signal=signal if ended else None,
        derived_exit_code=_exit(entry.get("derived_exit_code"), states.is_ok(state))[0] if ended else None,
        tres=amounts(tres.get("allocated")) or amounts(tres.get("requested")),
        work_dir=table.value(entry.get("working_directory")),
        comment=table.value(comment.get("job") if isinstance(comment, dict) else comment),
        cancelled_by_uid=int(killer) if killer.isdigit() else None,
        source=ACCOUNTING,
        steps=[_step(_accounting_id(entry), step) for step in _list(entry.get("steps"))],
    )


def steps(answer):
    """Steps (list of dict, with the keys of sacct.parse_steps) of the jobs of slurmdbd's answer."""
    found = []
    for entry in answer.get("jobs") or []:
        job_id = _accounting_id(entry)
        found += [_step(job_id, step) for step in _list(entry.get("steps"))]
    return found


def _at(entry, *path):
    """What lies at a path of keys, None where one of them is missing: of steps only some versions tell all."""
    for key in path:
        entry = entry.get(key) if isinstance(entry, dict) else None
    return entry


def _list(value):
    return value if isinstance(value, list) else []


def _step(job_id, step):
    state = _at(step, "state")
    state = [str(word) for word in state] if isinstance(state, list) else str(state or "")
    exit_code = _at(step, "exit_code")
    code, signal = _exit(exit_code, states.is_ok(state)) if isinstance(exit_code, dict) else (None, None)
    found = {
        "job_id": job_id,
        # 24.11 writes 1.batch where 22.05 writes batch
        "step": str(_at(step, "step", "id")).rpartition(".")[2],
        "state": states.normalize(state),
        "name": _at(step, "step", "name"),
        "nodes": [str(node) for node in _list(_at(step, "nodes", "list"))],
        "start_s": number(_at(step, "time", "start")) or None,
        "end_s": number(_at(step, "time", "end")) or None,
        "elapsed_s": number(_at(step, "time", "elapsed")),
        "exit_code": code,
        "signal": signal,
        "cpu_s": _cpu_seconds(_at(step, "time", "total")),
        "tres": amounts(_at(step, "tres", "allocated")),
    }
    found.update(_usage(step))
    return found


def _cpu_seconds(total):
    """Seconds (float) of a time of two numbers; None without one."""
    whole, rest = number(_at(total, "seconds")), number(_at(total, "microseconds"))
    return None if whole is None else whole + (rest or 0) / 1e6


def _usage(step):
    """The keys of usage.of_row. Memory is in bytes here, and CPU time in milliseconds (CPU_TIME_ADJ of Slurm)."""
    # slurmrestd's words for what came in and for what went out
    used, given = _at(step, "tres", "requested"), _at(step, "tres", "consumed")
    cpu_ms = _most(used, "average", "cpu")
    return {
        "tasks": number(_at(step, "tasks", "count")),
        "mean_task_cpu_s": None if cpu_ms is None else cpu_ms / 1000.0,
        "energy_j": usage.joules(number(_at(step, "statistics", "energy", "consumed"))) or None,
        "max_rss_bytes": _most(used, "max", "mem"),
        "max_disk_read_bytes": _most(used, "max", usage.DISK),
        "max_disk_write_bytes": _most(given, "max", usage.DISK),
        "disk_read_bytes": _most(used, "total", usage.DISK),
        "disk_write_bytes": _most(given, "total", usage.DISK),
    }


def _most(kinds, kind, name):
    """The largest count (int) of a resource in a list of type, name, count; None where it is not in it."""
    wanted = name.partition("/")
    told = [
        usage.counted(number(_at(item, "count")))
        for item in _list(_at(kinds, kind))
        if (_at(item, "type"), _at(item, "name") or "") == (wanted[0], wanted[2])
    ]
    return max((count for count in told if count is not None), default=None)

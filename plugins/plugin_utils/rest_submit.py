# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Submits a run's jobs by slurmrestd, each once, as submit.sh does by sbatch; its files go over the connection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.client import SlurmClient
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.rest.slurm import RestSlurm
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import jobs as run_jobs
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.remote import Remote
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.run_action import RunFailed

_SHIP = r"""umask 077; mkdir -p "$1" && tar -xzf - -C "$1" && cd "$1" || exit 1
printf '%s\n' "$HOME"
while read -r path; do [ -e "$path" ] || { echo missing; break; }; done <needs.txt"""


def ship(remote: Remote, run_dir: str, archive: bytes) -> tuple[str, bool]:
    """Unpack the archive in the run's directory; the home directory there, and whether there is anything to fetch."""
    answer = remote.shell(_SHIP, run_dir, stdin=archive)
    if answer.rc != 0:
        raise RunFailed(
            f"the run's directory {run_dir} can't be made on {remote.host}: {answer.err.strip()}. "
            f"Check benchmark_scratch of {remote.host} in the inventory (space, quota, permissions)"
        )
    home, _line_feed, missing = answer.out.partition("\n")
    return home, bool(missing.strip())


def dependencies(role: str, ids: Mapping[str, str]) -> list[str]:
    """Options (words of sbatch) of a job that waits for those before it; ids: role → job id."""
    image, service = ids.get("image"), ids.get("service")
    wanted = [f"after:{service}"] if role == "clients" and service else []
    wanted += [f"afterok:{image}"] if role != "image" and image else []
    if not wanted:
        return []
    return [f"--dependency={','.join(wanted)}", *(["--kill-on-invalid-dep=yes"] if image else [])]


def options(slurm: RestSlurm, run_dir: str, home: str) -> list[str]:
    """Options of every job: what sbatch would take from where it is started, and no signal where there can be none."""
    return [f"--chdir={run_dir}", f"--export=HOME={home}", *([] if slurm.warns_script else ["--signal="])]


def submit(
    client: SlurmClient, run_id: str, scripts: Mapping[str, str], words: list[str], deadline_s: float
) -> Iterator[dict[str, Any]]:
    """Submit the scripts (role → text) in the order of their roles; yields the record of each job."""
    ids: dict[str, str] = {}
    for role, script in scripts.items():
        name = run_jobs.job_name(run_id, role)
        done = client.submit_once(name, script, [*words, *dependencies(role, ids)], look="queue", deadline_s=deadline_s)
        ids[role] = done.job_id
        yield run_jobs.submitted(role, run_id, done.job_id, adopted=done.adopted)

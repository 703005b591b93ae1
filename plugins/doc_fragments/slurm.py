# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options that every Slurm module has."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  slurm_conf:
    description:
      - Configuration file of the cluster to talk to, on the target host.
      - Without it the host's own C(SLURM_CONF) or default is used.
    type: path
  bin_dir:
    description: Directory of Slurm's commands on the target host, for hosts where they are not in the C(PATH).
    type: path
  deadline_s:
    description:
      - Seconds during which a question or a submission is repeated while the controller (slurmctld) or accounting
        (slurmdbd) does not answer.
      - An unanswered question is never taken for an answer. After this time the module fails.
    type: int
    default: 180
notes:
  - The inventory variable C(benchmark_slurm_transport) says how Slurm is reached by C(slurm_job), C(slurm_job_info) and
    C(slurm_cluster_info). With C(python), the default, they run as modules on the target host. With C(shell) they need
    no Python there, and with C(slurmrestd) no login.
  - O(slurm_conf) and O(bin_dir) are refused with C(slurmrestd), and C(async) with C(shell) and C(slurmrestd).
requirements:
  - Slurm 22.05 or newer; its commands on the target host, unless it is reached by slurmrestd
  - Python 3.6 or newer on the target host, where C(benchmark_slurm_transport) is C(python)
"""

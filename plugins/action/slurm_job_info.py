# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""slurm_job_info by any way to Slurm: see the module slurm_job_info, and docs/login-nodes.md."""

from __future__ import annotations

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import arguments, tasks
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.slurm_action import SlurmAction


class ActionModule(SlurmAction):
    """See the module slurm_job_info for the options."""

    MODULE = "aifactory.benchmark.slurm_job_info"
    OPTIONS = arguments.JOB_INFO
    TASK = staticmethod(tasks.job_info)

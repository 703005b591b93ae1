# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Attributes that the documentation of this collection's modules shares."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type


class ModuleDocFragment:
    # What every module says of itself; the module adds `support`.
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and return changed status prediction without modifying the target.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in check mode), when in diff mode.
"""

    # Modules that only ask.
    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details: This module does not change anything.
  diff_mode:
    support: N/A
    details: This module does not change anything.
"""

    # Modules of the action group slurm.
    ACTIONGROUP_SLURM = r"""
options: {}
attributes:
  action_group:
    description: >-
      Use C(group/aifactory.benchmark.slurm) in C(module_defaults) to set defaults for all Slurm modules at once.
    support: full
    membership:
      - aifactory.benchmark.slurm
"""

# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the agent tells the user instead of a traceback."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type


import errno

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


def explain(error):
    """What went wrong (str), with the remedy where a disk is full."""
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        where = " for " + str(error.filename) if error.filename else ""
        return "%s%s: make room below benchmark_scratch, or have your quota raised" % (error.strerror, where)
    return str(error)


class AgentError(Exception):
    """The run cannot go on. The message says what is wrong, where, and what to do; `log_tail` (list of str)
    holds the last lines of the log that shows it, `exit_code` (int or None) that of the program that ended.
    """

    def __init__(self, message, log_tail=None, exit_code=None):
        super().__init__(message)
        self.log_tail = log_tail or []
        self.exit_code = exit_code


class Ended(AgentError):
    """Somebody ended the run. exit_code (int): that of the job."""


class ServiceGone(AgentError):
    """The service failed, was ended, or gives no sign of life."""

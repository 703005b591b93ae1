# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""sacctmgr: QOS and associations. Arguments and parsers, no I/O. Needs accounting (errors.ACCOUNTING_OFF)."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import duration, table

QOS_FIELDS = (
    "name",
    "priority",
    "maxwall",
    "maxtresperjob",
    "maxtresperuser",
    "maxjobsperuser",
    "maxsubmitjobsperuser",
    "grptres",
    "flags",
)
ASSOCIATION_FIELDS = (
    "cluster",
    "account",
    "user",
    "partition",
    "qos",
    "defaultqos",
    "maxjobs",
    "maxsubmitjobs",
    "maxwall",
    "maxtresperjob",
)
USER_FIELDS = ("user", "defaultaccount", "adminlevel")


def _show(what, fields, *conditions):
    return [*table.ENVIRONMENT, "sacctmgr", "-n", "-P", "show", *what, *conditions, "format=" + ",".join(fields)]


def qos_argv():
    """The command line (list of str) for all QOS."""
    return _show(["qos"], QOS_FIELDS)


def associations_argv(user, cluster=None):
    """The command line (list of str) for a user's associations, on one cluster if it is named."""
    conditions = ["user=" + user] + (["cluster=" + cluster] if cluster else [])
    return _show(["associations"], ASSOCIATION_FIELDS, *conditions)


def user_argv(user):
    """The command line (list of str) for a user's default account and administrative rights."""
    return _show(["user"], USER_FIELDS, user)


def _rows(stdout, fields):
    for line in stdout.splitlines():
        values = line.split("|")
        if len(values) == len(fields):
            yield dict(zip(fields, (value.strip() for value in values)))


def _words(text):
    return [word for word in text.split(",") if word]


def parse_qos(stdout):
    """QOS (list of dict): name, priority, max_time_s, max_tres_per_job, max_tres_per_user, max_tres (dict, see
    table.tres), max_jobs_per_user, max_submit_jobs_per_user (int or None: no limit), flags (list of str).
    """
    return [
        {
            "name": row["name"],
            "priority": table.integer(row["priority"]),
            "max_time_s": duration.to_seconds(row["maxwall"]),
            "max_tres_per_job": table.tres(row["maxtresperjob"]),
            "max_tres_per_user": table.tres(row["maxtresperuser"]),
            "max_tres": table.tres(row["grptres"]),
            "max_jobs_per_user": table.integer(row["maxjobsperuser"]),
            "max_submit_jobs_per_user": table.integer(row["maxsubmitjobsperuser"]),
            "flags": _words(row["flags"]),
        }
        for row in _rows(stdout, QOS_FIELDS)
    ]


def parse_associations(stdout):
    """Associations (list of dict): cluster, account, user, partition (str or None: all), qos (list of str),
    default_qos, max_jobs, max_submit_jobs, max_time_s (int or None: no limit), max_tres_per_job (dict).
    """
    return [
        {
            "cluster": row["cluster"],
            "account": row["account"],
            "user": row["user"],
            "partition": row["partition"] or None,
            "qos": _words(row["qos"]),
            "default_qos": row["defaultqos"] or None,
            "max_jobs": table.integer(row["maxjobs"]),
            "max_submit_jobs": table.integer(row["maxsubmitjobs"]),
            "max_time_s": duration.to_seconds(row["maxwall"]),
            "max_tres_per_job": table.tres(row["maxtresperjob"]),
        }
        for row in _rows(stdout, ASSOCIATION_FIELDS)
    ]


def parse_user(stdout):
    """The user (dict): name, default_account (str or None), admin_level (str); None for an unknown user."""
    for row in _rows(stdout, USER_FIELDS):
        return {
            "name": row["user"],
            "default_account": row["defaultaccount"] or None,
            "admin_level": row["adminlevel"],
        }
    return None

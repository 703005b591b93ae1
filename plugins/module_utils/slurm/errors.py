# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a Slurm command that failed has meant, with Slurm's own words and what to do about it. No I/O.

Source of the texts: slurm_errno.c of Slurm 22.05 to 26.05, and what sbatch, squeue, sacct, scancel,
scontrol and sacctmgr of those versions print.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

# Kinds that others compare with; the rest are named in _RULES only.
UNREACHABLE = "unreachable"  # no answer: whether the request was carried out is unknown
NO_CONNECTION = "no_connection"  # the request never left this host
TRY_LATER = "try_later"  # answered, and refused for the moment
INVALID_JOB_ID = "invalid_job_id"
ALREADY_DONE = "already_done"
ACCOUNTING_OFF = "accounting_off"
ACCOUNTING_UNREACHABLE = "accounting_unreachable"
REFUSED_BY_SITE = "refused_by_site"
COMMAND_MISSING = "command_missing"
UNKNOWN_OUTCOME = "unknown_outcome"
FAILED = "failed"

TRANSIENT = (UNREACHABLE, NO_CONNECTION, TRY_LATER, ACCOUNTING_UNREACHABLE)

# (kind, pattern, remedy); the first pattern that is found decides, so the special ones come first.
_RULES = (
    (
        COMMAND_MISSING,
        r"command not found|No such file or directory: '?b?'?\S*s(batch|queue|acct|info|cancel|control)"
        r"|(?:env|exec|bash|sh): .{0,80}(?:not found|No such file or directory)",
        "Slurm's commands are not in this user's PATH on this host: choose a login node, or set PATH",
    ),
    (
        ACCOUNTING_OFF,
        r"accounting storage is disabled|not running a supported accounting_storage plugin",
        "this cluster keeps no accounting; only jobs that slurmctld still knows can be asked for",
    ),
    (
        ACCOUNTING_UNREACHABLE,
        r"Problem talking to the database|slurm_persist_conn_open|to slurmdbd|DBD_\w+.*fail"
        r"|Unable to contact.*slurmdbd|Database is down|sending message type DBD",
        "slurmdbd does not answer: try again later, or ask the site's support",
    ),
    (
        NO_CONNECTION,
        r"connect failure|Connection refused|No route to host|Unable to (?:resolve|establish configuration)"
        r"|failed to fetch remote configs|Network is unreachable",
        "slurmctld does not answer: scontrol ping shows its state; try again later",
    ),
    (
        "configuration",
        r"process configuration file|establish a configuration source|cannot stat file|ClusterName needs",
        "this host has no valid configuration of Slurm: set SLURM_CONF or slurm_conf, or choose a login node",
    ),
    (
        UNREACHABLE,
        r"timed out|Zero Bytes were transmitted|Unable to contact slurm controller|Connection reset"
        r"|Communication(?:s)? (?:connection|send|receive|shutdown) failure|Transport endpoint",
        "slurmctld did not answer in time: scontrol ping shows its state; try again later",
    ),
    (
        TRY_LATER,
        r"temporarily unable to accept job|Resource temporarily unavailable|Slurm backup controller in standby"
        r"|Job is in trans\w+ state",
        "slurmctld is busy: try again later",
    ),
    (
        "authentication",
        r"[Aa]uthentication (?:credential|error|failure)|Munge (?:en|de)code|munge_",
        "munge does not work between this host and slurmctld: ask the site's support",
    ),
    (
        "invalid_account",
        r"Invalid account or account/partition combination|[Ii]nvalid account",
        "choose one of your accounts (option account): sacctmgr show associations user=$USER",
    ),
    (
        "invalid_qos",
        r"Invalid qos|[Ii]nvalid QOS|Requested QOS.*not",
        "choose a QOS of your account (option qos): sacctmgr show associations user=$USER format=account,qos",
    ),
    (
        "invalid_partition",
        r"[Ii]nvalid partition|No partition specified|User's group not permitted to use this partition"
        r"|Required partition not available|Requested nodes not in this partition",
        "choose a partition that is up and that you may use (option partition): sinfo -s",
    ),
    (
        "invalid_gres",
        r"Invalid generic resource|[Ii]nvalid [Gg]res|Invalid Trackable RESource",
        "choose a resource that the partition has (option gres): sinfo -o '%P %G'",
    ),
    (
        "time_limit",
        r"Requested time limit is invalid|Invalid --time specification|[Ii]nvalid time ?limit",
        "give a time limit (option time_limit) within the partition's and the QOS's: sinfo -o '%P %l'",
    ),
    (
        "policy",
        r"violates accounting/QOS policy|Accounting/QOS policy|job submit limit|QOS\w*Limit|Assoc\w*Limit",
        "ask for less (time, nodes, jobs at once) or use another QOS: sacctmgr show qos",
    ),
    (
        "node_config",
        r"node configuration is not available|Node count specification invalid|partition configuration not avail"
        r"|More processors requested than permitted|Memory required by task is not available"
        r"|Invalid node name|Requested nodes are busy|Invalid node count",
        "ask for nodes, CPUs, memory or GPUs that the partition has: sinfo -N -o '%N %P %c %m %G %f'",
    ),
    (
        "invalid_feature",
        r"Invalid feature specification|[Ii]nvalid constraint",
        "choose features that the nodes have (option constraint): sinfo -o '%P %f'",
    ),
    (
        "dependency",
        r"Job dependency problem|[Ii]nvalid dependency|Dependent job",
        "give ids of existing jobs (option dependency), such as afterok:1234",
    ),
    ("invalid_array", r"Invalid job array", "give an array such as 0-9%4 (option array) within MaxArraySize"),
    (
        "reservation",
        r"[Rr]equested reservation|reservation is invalid|[Aa]ccess denied to requested reservation",
        "choose a reservation that is active and that you may use: scontrol show reservation",
    ),
    (ALREADY_DONE, r"already completing or completed|Job/step already", "nothing is left to do"),
    (
        INVALID_JOB_ID,
        r"Invalid job id|[Ii]nvalid job array|does not exist|Invalid Job Id",
        "this job is not (or no longer) known to slurmctld",
    ),
    (
        "permission",
        r"Access/permission denied|Permission denied|Invalid user id|not authori[sz]ed",
        "only the job's owner, or an operator, may do this",
    ),
    (
        "script",
        r"does not look like a batch script|Batch script (?:is empty|contains)|Unable to open file"
        r"|Job script not specified|contains DOS line breaks|first line is not|No such file",
        "give a readable script whose first line names its interpreter (#!/bin/bash)",
    ),
    (
        "usage",
        r"unrecognized option|invalid option|requires an argument|ambiguous|[Ii]nvalid (?:argument|numeric value)"
        r"|Invalid --\S+ specification|Try \"\w+ --help\"|[Uu]nknown field|Invalid field|Invalid job format",
        "correct the option that Slurm names",
    ),
)
_COMPILED = tuple((kind, re.compile(pattern), remedy) for kind, pattern, remedy in _RULES)
_REMEDIES = {kind: remedy for kind, unused, remedy in _RULES}
_REMEDIES[REFUSED_BY_SITE] = "the site's submit rules refuse this job: do what its message asks for"
_REMEDIES[FAILED] = "see Slurm's message"

_NOISE = re.compile(r"^(?:s\w+|scontrol|sacctmgr): (?:(?:error|fatal|warning|info): )?")
# Closing lines that add nothing to the site's own words before them.
_GENERIC = re.compile(
    r"^(?:Batch job submission failed|allocation failure|Job submit/allocate failed): "
    r"(?:Unspecified error|Error generating.*|Unexpected message received)$"
)


class SlurmError(Exception):
    """A Slurm command that did not do what it was asked for.

    kind (str): one of this module's constants or names in its table; message (str): Slurm's own words, with
    what was being done; remedy (str): what the user can do; command (list of str or None); rc (int or None).
    """

    def __init__(self, kind, message, remedy="", command=None, rc=None):
        self.kind = kind
        self.message = message
        self.remedy = remedy
        self.command = command
        self.rc = rc
        super(SlurmError, self).__init__(self.__str__())

    def __str__(self):
        return "{0} ({1})".format(self.message, self.remedy) if self.remedy else self.message

    @property
    def transient(self):
        """True when the same call may succeed later."""
        return self.kind in TRANSIENT

    def to_dict(self):
        """The error as plain data, for a module's result."""
        return {"kind": self.kind, "message": self.message, "remedy": self.remedy, "rc": self.rc}


def words(text):
    """Slurm's own words (list of str): the lines of its stderr without `sbatch: error: ` and empty lines."""
    lines = [_NOISE.sub("", line.strip()) for line in str(text or "").splitlines()]
    return [line for line in lines if line]


def remedy(kind):
    """What a user can do about an error of this kind (str)."""
    return _REMEDIES.get(kind, _REMEDIES[FAILED])


def _site_words(lines):
    """What a site's job_submit plugin said: everything but the generic closing line; empty without one."""
    said = [line for line in lines if not _GENERIC.match(line)]
    return said if said and len(said) < len(lines) else []


def classify(rc, stdout="", stderr=""):
    """The kind (str) of a failed command from its exit status (int) and output; None when it did not fail."""
    if rc == 0:
        return None
    lines = words(stderr) or words(stdout)
    if rc == 127:
        return COMMAND_MISSING
    if _site_words(lines):
        return REFUSED_BY_SITE
    # The last line is what finally went wrong; earlier ones are retries and warnings.
    for text in [lines[-1] if lines else "", "\n".join(lines)]:
        for kind, pattern, _unused in _COMPILED:
            if pattern.search(text):
                return kind
    return "usage" if rc == 255 else FAILED


def from_result(doing, argv, rc, stdout="", stderr=""):
    """A SlurmError for a failed command: `doing` (str) says what was tried, such as `submit job "x"`."""
    kind = classify(rc, stdout, stderr) or FAILED
    lines = words(stderr) or words(stdout)
    if kind == REFUSED_BY_SITE:
        lines = _site_words(lines)
    said = "; ".join(lines) or "no message, exit status {0}".format(rc)
    return SlurmError(kind, "cannot {0}: {1}".format(doing, said), remedy(kind), list(argv), rc)

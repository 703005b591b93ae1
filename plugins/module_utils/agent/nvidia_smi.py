# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What nvidia-smi says of the GPUs of this job. Source: nvidia-smi --help-query-gpu."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import subprocess

_ASK_S = 20.0


def own_gpus(environ=None):
    """Numbers or UUIDs (str, with commas) of the GPUs that Slurm gave to this job; None without any."""
    environ = os.environ if environ is None else environ
    return environ.get("SLURM_JOB_GPUS") or environ.get("CUDA_VISIBLE_DEVICES") or None


def query(fields, environ=None):
    """(rows, why): the values (list of str) of `fields` for each GPU of this job, index and UUID before them.

    rows is None, and why says so in words, where the job has no GPU or nvidia-smi does not tell.
    """
    mine = own_gpus(environ)
    if not mine:
        return None, "the job has no GPU"
    command = ["nvidia-smi", "--query-gpu=" + ",".join(["index", "uuid", *fields]), "--format=csv,noheader,nounits"]
    try:
        # Python 3.6 has no capture_output and no text
        output = subprocess.check_output(  # pylint: disable=ansible-bad-function
            command, stderr=subprocess.DEVNULL, timeout=_ASK_S
        ).decode("utf-8", "replace")
    except OSError as e:
        return None, "nvidia-smi: %s" % e.strerror
    except subprocess.SubprocessError as e:
        code = getattr(e, "returncode", None)
        return None, "nvidia-smi " + ("ended with exit code %s" % code if code else "gave no answer in %g s" % _ASK_S)
    rows = [[cell.strip() for cell in line.split(",")] for line in output.splitlines()]
    rows = [row for row in rows if len(row) == 2 + len(fields) and row[0].isdigit()]
    chosen = [row for row in rows if row[0] in mine.split(",") or row[1] in mine.split(",")]
    # where the site shows a job its own GPUs only, they are numbered anew
    return (chosen or rows, None) if rows else (None, "nvidia-smi lists no GPU")

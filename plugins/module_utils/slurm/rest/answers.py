# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What slurmrestd answers, and what its errors mean. No I/O.

An HTTP status of 200 says little (22.05 sends errors of accounting with it), and so does an empty list of errors
(24.11 sends 502 with one when slurmctld is down): an answer counts when neither speaks against it.
Source of the numbers: slurm_errno.h, and what slurmrestd of 22.05 and 24.11 answered.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import errors
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.errors import SlurmError
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.rest import tokens

NO_SUCH_API = "no_such_api"
_NOTHING_FOUND = 9003
_NAMELESS = -1  # "Unspecified error"
_KINDS = {
    1007: tokens.AUTHENTICATION,
    2017: errors.INVALID_JOB_ID,
    2021: errors.ALREADY_DONE,
    2042: None,  # a job that was submitted held: no error
    7000: errors.ACCOUNTING_UNREACHABLE,
    _NOTHING_FOUND: None,
}
_NAMELESS_REMEDY = (
    "slurmctld did not answer, or did not accept the token; slurmrestd does not say which: try again later, or with a "
    "new token (scontrol token)"
)
_SITE_REMEDY = (
    "the site's submit rules refuse this job, and slurmrestd does not hand on their words: sbatch on a login node "
    "shows them"
)


def number(value):
    """The int of a field, which is one, or a structure (set, infinite, number), or None where none is set."""
    if isinstance(value, dict):
        value = value.get("number") if value.get("set") and not value.get("infinite") else None
    if isinstance(value, bool) or value is None:
        return None
    try:
        return int(value)
    except (OverflowError, TypeError, ValueError):  # json.loads reads Infinity
        return None


def listed(value):
    """The words (list of str) of a field, which is a list or text with commas."""
    if isinstance(value, (list, tuple)):
        return [str(word) for word in value]
    return [word for word in str(value or "").split(",") if word]


def parse(doing, status, text, api_path):
    """The answer (dict). Raises SlurmError when it is none of the API, for a version that is not there, or no token."""
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if isinstance(answer, dict):
        return answer
    said = " ".join(str(text).split())[:200]
    if status == 401 or "Authentication failure" in said:
        raise SlurmError(
            tokens.AUTHENTICATION,
            "cannot {0}: slurmrestd does not accept the token: {1}".format(doing, said),
            tokens.RENEW,
        )
    if status == 404:
        raise SlurmError(
            NO_SUCH_API,
            "cannot {0}: slurmrestd has no {1}".format(doing, api_path),
            "leave benchmark_slurmrestd_version away, or set it to a version of its /openapi; check "
            "benchmark_slurmrestd_url",
        )
    raise SlurmError(
        errors.UNREACHABLE if status >= 500 else errors.FAILED,
        "cannot {0}: HTTP status {1} and no answer of slurmrestd: {2}".format(doing, status, said or "nothing"),
        "check benchmark_slurmrestd_url: something else may answer there",
    )


def _texts(entry):
    """What an entry of `errors` says, without saying it twice."""
    found = [str(entry.get(key)) for key in ("description", "error") if entry.get(key)]
    return found[:1] if len(found) == 2 and found[1] in found[0] else found


def error_of(doing, status, answer, submitting=False):
    """The SlurmError of an answer, or None for one without. submitting: -1 is then a refusal by the site's rules."""
    entries = [entry for entry in answer.get("errors") or [] if isinstance(entry, dict)]
    said, kinds = [], []
    for entry in entries:
        code = number(next((entry[key] for key in ("error_number", "error_code", "errno") if key in entry), None))
        kind = _KINDS[code] if code in _KINDS else _kind(code, entry, submitting)
        if kind is not None:
            kinds.append(kind)
            said += [text for text in _texts(entry) if text not in said]
    if kinds:
        return _error(doing, kinds[0], "; ".join(said))
    if status < 400 or (entries and status < 600):
        return None
    if status in (401, 403, 511):
        return _error(doing, tokens.AUTHENTICATION, "HTTP status {0}".format(status))
    return _error(doing, errors.UNREACHABLE, "HTTP status {0}, and slurmrestd says no more".format(status))


def _kind(code, entry, submitting):
    text = " ".join(_texts(entry))
    # 24.11 says "Operation not permitted" (1) to a cancellation that slurmctld did not answer
    if code == 1 or (code == _NAMELESS and "Unspecified error" in text):
        return errors.REFUSED_BY_SITE if submitting else errors.UNREACHABLE
    if "authentication error" in text:
        return tokens.AUTHENTICATION
    return errors.classify(1, "", text)


def _error(doing, kind, said):
    remedies = {
        tokens.AUTHENTICATION: "the token is not (or no longer) valid for this cluster: " + tokens.RENEW,
        errors.REFUSED_BY_SITE: _SITE_REMEDY,
    }
    remedy = remedies.get(kind) or errors.remedy(kind)
    if kind == errors.UNREACHABLE and "Unspecified error" in said:
        remedy = _NAMELESS_REMEDY
    return SlurmError(kind, "cannot {0}: {1}".format(doing, said), remedy)


def check(doing, status, answer):
    """The answer (dict). Raises SlurmError when it is an error."""
    error = error_of(doing, status, answer)
    if error is not None:
        raise error
    return answer


def submitted(doing, status, answer):
    """The job id (str) of an accepted job. Raises SlurmError for a refusal."""
    result = answer.get("result") if isinstance(answer.get("result"), dict) else {}
    job_id = number(answer.get("job_id")) or number(result.get("job_id"))
    if job_id and status < 400:
        return str(job_id)
    error = error_of(doing, status, answer, submitting=True)
    if error is None:
        error = SlurmError(errors.UNKNOWN_OUTCOME, "{0}: slurmrestd tells no job id".format(doing))
    raise error


def release(answer):
    """(version of Slurm, name of the cluster or None) that an answer names."""
    meta = answer.get("meta") or {}
    slurm = meta.get("slurm") or meta.get("Slurm") or {}
    return slurm.get("release"), slurm.get("cluster") or None

# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tokens (JSON Web Tokens) for slurmrestd: where one comes from, and what it says of itself. Never logged.

The signature is slurmctld's to check; here a token is only read, so that an expired one has a message that says so:
slurmrestd 22.05 answers "Unspecified error" to it.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import base64
import json
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.errors import SlurmError

AUTHENTICATION = "authentication"
RENEW = (
    "make a new one on a host of the cluster: scontrol token lifespan=3600; give it as benchmark_slurmrestd_token, as "
    "benchmark_slurmrestd_token_file or in the environment as SLURM_JWT"
)


def clean(text):
    """The token (str) of what `scontrol token` prints (`SLURM_JWT=...`) or of the bare token.

    Raises SlurmError when it can be none; the message never holds it.
    """
    token = str(text or "").strip()
    if token.startswith("SLURM_JWT="):
        token = token[len("SLURM_JWT=") :]
    if not token:
        raise SlurmError(AUTHENTICATION, "there is no token for slurmrestd", RENEW)
    if token.count(".") != 2 or any(ord(char) < 33 or ord(char) > 126 for char in token):
        raise SlurmError(AUTHENTICATION, "the token for slurmrestd is no JSON Web Token (three parts with dots)", RENEW)
    return token


def claims(token):
    """What the token says of itself (dict): sun (user name), exp (seconds since the epoch); empty when unreadable."""
    body = token.split(".")[1]
    try:
        found = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode("utf-8"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def expired_since(token, now_s):
    """Seconds (int) since the token's end, or None while it is valid or does not say."""
    end_s = claims(token).get("exp")
    return int(now_s - end_s) if isinstance(end_s, (int, float)) and end_s <= now_s else None


def user_of(token, user=None):
    """The user name (str) that goes with the token: the given one, or the token's. Raises SlurmError without any."""
    name = user or claims(token).get("sun")
    if not name:
        raise SlurmError(
            AUTHENTICATION,
            "the token for slurmrestd does not say whose it is",
            "set benchmark_slurmrestd_user to the user name on the cluster",
        )
    return str(name)


def check(token, clock=time):
    """Raises SlurmError for a token whose time is over."""
    since_s = expired_since(token, clock.time())
    if since_s is not None:
        raise SlurmError(AUTHENTICATION, "the token for slurmrestd expired {0} s ago".format(since_s), RENEW)

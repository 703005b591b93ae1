# SPDX-License-Identifier: MIT
"""Tokens as scontrol makes them, with a signature of nobody's."""

from __future__ import annotations

import base64
import json


def token(**claims):
    """A token of u101's that ends in 2100, or with other claims."""
    said = {"exp": 4102444800, "iat": 1700000000, "sun": "u101", **claims}
    parts = [{"alg": "HS256", "typ": "JWT"}, {key: value for key, value in said.items() if value is not None}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])

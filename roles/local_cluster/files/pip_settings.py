# SPDX-License-Identifier: MIT
"""Say, as JSON, the environment variables by which another pip finds packages where this machine's does.

They are what ``pip config list`` knows about indexes, networks and certificates, from files and from the environment;
what it says about how to install is left out: that is the other one's own affair. Without pip the environment counts.
"""

import ast
import json
import os
import subprocess
import sys

INDEXES = ("index-url", "extra-index-url", "no-index", "find-links", "trusted-host")
NETWORK = ("proxy", "cert", "client-cert", "timeout", "default-timeout", "retries")
VERSIONS = ("constraint", "only-binary", "prefer-binary", "pre")
TAKEN = INDEXES + NETWORK + VERSIONS
# Weakest first: those of every command, of `pip install`, of the environment.
SECTIONS = ("global", "install", ":env:")
# What Python's network libraries take the certificates from where pip is not told.
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def listing() -> str:
    """What ``pip config list`` prints, lines such as ``global.index-url='https://…'``; else the environment's."""
    done = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return done.stdout
    own = {name[4:]: value for name, value in os.environ.items() if name.startswith("PIP_")}
    return "\n".join(f":env:.{name.lower().replace('_', '-')}={value!r}" for name, value in own.items())


def settings(text: str) -> dict[str, str]:
    """The settings of such lines that are taken, each as its strongest section has it."""
    found: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    for line in text.splitlines():
        section, _dot, rest = line.partition(".")
        name, _equals, value = rest.partition("=")
        if section in found and name in TAKEN:
            found[section][name] = " ".join(str(ast.literal_eval(value)).split())
    return {name: value for section in SECTIONS for name, value in found[section].items()}


def environment() -> dict[str, str]:
    """PIP_* and the proxies, without those that are empty."""
    found = settings(listing())
    found["cert"] = found.get("cert") or next((os.environ[name] for name in BUNDLES if os.environ.get(name)), "")
    variables = {f"PIP_{name.upper().replace('-', '_')}": value for name, value in found.items()}
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        variables[name] = os.environ.get(name) or os.environ.get(name.upper(), "")
    return {name: value for name, value in variables.items() if value}


if __name__ == "__main__":
    print(json.dumps(environment()))

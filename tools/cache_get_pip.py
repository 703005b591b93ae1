# SPDX-License-Identifier: MIT
"""Puts pip's own wheel where ansible-test looks for its bootstrap script, so that it need not download one.

usage: python cache_get_pip.py VENV        (the environment whose ansible-test will run)
"""

from __future__ import annotations

import base64
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SCRIPT = """import base64, os, sys, tempfile
wheel = os.path.join(tempfile.mkdtemp(), "pip-{version}-py3-none-any.whl")
with open(wheel, "wb") as stream:
    stream.write(base64.b64decode("{data}"))
sys.path.insert(0, wheel)
from pip._internal.cli.main import main
arguments = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
sys.exit(main(["install", "--upgrade", "--force-reinstall"] + (arguments or ["pip"])))
"""


def wanted_versions(venv: Path) -> set[str]:
    """The pip versions that this environment's ansible-test asks for."""
    source = next(venv.glob("lib/python3*/site-packages/ansible_test/_internal/python_requirements.py"))
    return set(re.findall(r"\bpip='([0-9.]+)'", source.read_text()))


def main() -> None:
    """Write the scripts that are not there yet."""
    venv = Path(sys.argv[1])
    cache = Path("~/.ansible/test/cache").expanduser()
    cache.mkdir(parents=True, exist_ok=True)
    for version in wanted_versions(venv):
        target = cache / f"get_pip_{version.replace('.', '_')}.py"
        if target.exists():
            continue
        with tempfile.TemporaryDirectory() as folder:
            command = [venv / "bin/python", "-m", "pip", "download", "-q", "--no-deps", "-d", folder, f"pip=={version}"]
            subprocess.run([str(word) for word in command], check=True)
            wheel = next(Path(folder).glob("pip-*.whl"))
            target.write_text(SCRIPT.format(version=version, data=base64.b64encode(wheel.read_bytes()).decode()))


if __name__ == "__main__":
    main()

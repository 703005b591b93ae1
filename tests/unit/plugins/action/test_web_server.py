# SPDX-License-Identifier: MIT
"""What the playbook web says when it starts, finds and stops the server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
PLAYBOOK = str(Path(sys.executable).with_name("ansible-playbook"))


def test_each_state_says_what_became_of_the_server(tmp_path):
    home = tmp_path / "home"

    def web(*words):
        done = subprocess.run(
            [PLAYBOOK, "-i", "localhost,", str(ROOT / "playbooks/web.yml"), "-e", "web_port=0", *words],
            env={
                **os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "AIFACTORY_HOME": str(home),
                "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"), "NO_COLOR": "1", "ANSIBLE_NOCOLOR": "1",
            },
            cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert f"its token: cat {home}/web/token" in web()
    try:
        assert "would be stopped" in web("-e", "web_state=stopped", "--check")
    finally:
        stopped = web("-e", "web_state=stopped")
    assert f"the web UI of {home} was stopped" in stopped
    assert f"the web UI of {home} does not run" in web("-e", "web_state=stopped")

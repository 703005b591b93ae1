# SPDX-License-Identifier: MIT
"""A service type of another collection: docs/service-types.md, done step by step."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .conftest import ROOT, assert_measured, assert_nothing_left

pytestmark = pytest.mark.integration

PAGE = ROOT / "docs/service-types.md"
_FILE = re.compile(r"^`([\w./-]+\.(?:yml|j2))`.*?\n\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def collection(root: Path) -> Path:
    """The files of the page, where Ansible looks for collections."""
    folder = root / "ansible_collections/site/services"
    for name, text in _FILE.findall(PAGE.read_text()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """The playbooks find the page's collection, too."""
    import tests.integration.conftest as shared

    known = shared.environment
    paths = f"{ROOT / '.collections'}:{collection(tmp_path / 'outside')}"
    monkeypatch.setattr(shared, "environment", lambda home: {**known(home), "ANSIBLE_COLLECTIONS_PATH": paths})


def the_recipe() -> str:
    """That of the page."""
    return re.search(r"## A recipe for it\n\n```yaml\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL).group(1)


@pytest.mark.usefixtures("outside")
def test_the_page_makes_a_service_type(play, home, recipe):
    path = recipe(the_recipe())
    validated = play("validate", "-e", f"recipe={path}", limit=None)
    assert validated.rc == 0, validated.output
    played = play("run", "-e", f"recipe={path}")
    [run_id] = played.run_ids()
    assert assert_measured(played, home, run_id)["service"] == "files"
    text = (home / "runs" / run_id / "report.md").read_text().replace("\\", "")
    [told] = re.findall(r"\| files_requests_total \| ([\d.]+) \|", text)
    assert float(told) == pytest.approx(50, rel=0.5), "by chance, and to the second"
    assert "| files_threads | – | – |" in text
    assert_nothing_left([run_id])


@pytest.mark.usefixtures("outside")
def test_its_settings_are_checked(play, recipe):
    played = play("validate", "-e", f"recipe={recipe(the_recipe().replace('bytes:', 'byte:'))}", limit=None)
    assert played.rc != 0
    assert "did you mean 'bytes'" in played.output, played.output

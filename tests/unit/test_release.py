# SPDX-License-Identifier: MIT
"""Which version may be released, and whether the tarball works on a machine that has nothing of the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semantic_version import Version

from tests.unit.docs_blocks import ROOT

sys.path.insert(0, str(ROOT / "tools"))
from release_version import Repository, least, problems, read

NEW, FIX, BREAK = {"a.yml": {"minor_changes"}}, {"a.yml": {"bugfixes"}}, {"a.yml": {"breaking_changes", "bugfixes"}}
NUMBERS = st.tuples(*[st.integers(0, 20)] * 3).map(lambda numbers: ".".join(map(str, numbers)))


@pytest.mark.parametrize(
    ("released", "fragments", "version"),
    [
        ((), NEW, "0.1.0"),
        (("0.1.0",), FIX, "0.1.1"),
        (("0.1.0",), NEW, "0.2.0"),
        (("0.1.0",), BREAK, "0.2.0"),
        (("1.4.2", "1.10.0"), FIX, "1.10.1"),
        (("1.4.2",), BREAK, "2.0.0"),
        (("0.1.0", "0.2.0"), {}, "0.2.0"),
    ],
)
def test_the_least_version_that_changes_ask_for(released, fragments, version):
    assert problems(version, Repository(released, fragments)) == []
    assert all(problems(earlier, Repository(released, fragments)) for earlier in released if earlier != version)


@pytest.mark.parametrize(
    ("version", "repository", "words"),
    [
        ("1.2", Repository(), "no semantic version"),
        ("v1.2.3", Repository(), "no semantic version"),
        ("0.1.1", Repository(("0.1.0",), NEW), "has to be 0.2.0 at least: make release VERSION=0.2.0"),
        ("1.5.0", Repository(("1.4.2",), BREAK), "2.0.0 at least"),
        ("0.3.0", Repository(("0.2.0",)), "ends with 0.2.0, not with 0.3.0"),
        ("0.2.0", Repository(("0.2.0",), {}, frozenset({"0.3.0"}), frozenset({"0.3.0"})), "tagged v0.3.0, not v0.2.0"),
        ("0.2.0", Repository(("0.2.0",), {}, frozenset({"0.2.0"})), "a tag of another commit"),
        ("0.2.0", Repository(("0.2.0",), {}, frozenset({"0.10.0"})), "lower than the tag v0.10.0"),
    ],
)
def test_a_version_that_does_not_fit(version, repository, words):
    assert any(words in problem for problem in problems(version, repository))


@given(NUMBERS, st.sets(st.sampled_from(["minor_changes", "bugfixes", "breaking_changes", "known_issues"]), min_size=1))
def test_what_follows_is_higher_and_accepted(latest, sections):
    needed = least(Version(latest), sections)
    assert needed > Version(latest)
    assert problems(str(needed), Repository((latest,), {"a.yml": sections})) == []


def test_this_checkout_can_be_read():
    repository = read(ROOT)
    assert "0.1.0" in repository.released and all(repository.fragments.values())


def shell(command: str, folder: Path, **variables: str) -> str:
    """Output of a command in a shell that knows nothing of the checkout but the path of its Python."""
    known = {"HOME": str(folder), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", **variables}
    done = subprocess.run(["bash", "-euc", command], cwd=folder, env=known, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def tarball(tmp_path_factory) -> Path:
    """The collection as it is now."""
    folder = tmp_path_factory.mktemp("built")
    shell(f"{ROOT}/.venv/bin/ansible-galaxy collection build --output-path {folder} {ROOT}", folder)
    [path] = folder.glob("aifactory-benchmark-*.tar.gz")
    return path


@pytest.fixture(scope="module")
def empty(tarball, tmp_path_factory) -> Path:
    """A home with a virtual environment of requirements.txt and the collection, as the README says: PATH is its own."""
    home = tmp_path_factory.mktemp("home")
    shutil.copy(ROOT / "requirements.txt", home)
    shell(f"{sys.executable} -m venv venv && venv/bin/pip install --quiet -r requirements.txt", home, **pip_settings())
    shell(f"venv/bin/ansible-galaxy collection install {tarball}", home)
    return home


def pip_settings() -> dict[str, str]:
    """Where pip finds packages on this machine, which an empty home would not know."""
    return {name: value for name, value in os.environ.items() if name.startswith("PIP_")}


@pytest.mark.extra
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("recipes", "quickstart"),
        ("validate -e recipe=quickstart", "quickstart.yml: valid"),
        ("list", "no run in"),
        ("run -e recipe=quickstart --syntax-check", "playbook: "),
    ],
)
def test_the_tarball_works_in_an_empty_environment(empty, arguments, words):
    assert words in shell(f"venv/bin/ansible-playbook aifactory.benchmark.{arguments} -i localhost,", empty)


@pytest.mark.extra
def test_a_dry_run_from_the_tarball_plans_and_then_asks_the_cluster(empty):
    """Nobody listens on port 9 of this machine: the plan is made, and the play ends there with Ansible's own words."""
    (empty / "my-clusters.yml").write_text(
        "clusters: {hosts: {away: {ansible_host: 127.0.0.1, ansible_port: 9, benchmark_scratch: /scratch}}}\n"
    )
    command = "venv/bin/ansible-playbook aifactory.benchmark.run -i my-clusters.yml -e recipe=quickstart --check"
    output = shell(f"{command} || echo ended with $?", empty)
    assert "ended with" in output and "Connection refused" in output, output
    assert "Traceback" not in output


@pytest.mark.extra
@pytest.mark.skipif(not shutil.which("gpg"), reason="gpg is not installed")
def test_what_is_installed_is_verified_by_the_signature(tarball, tmp_path):
    """What docs/releasing.md has its readers do, with a key that is made for this test."""
    tmp_path.chmod(0o700)
    shell("gpg --batch --quiet --passphrase '' --quick-generate-key release@example.org ed25519 sign never", tmp_path)
    shell(f"tar -xzOf {tarball} MANIFEST.json >manifest && gpg --batch --armor --detach-sign manifest", tmp_path)
    shell("gpg --export >exported && gpg --no-default-keyring --keyring ./my-keyring.kbx --import exported", tmp_path)
    galaxy = f"{ROOT}/.venv/bin/ansible-galaxy collection"
    shell(f"{galaxy} install {tarball} -p installed", tmp_path)
    verify = (
        f"{galaxy} verify aifactory.benchmark --offline -p installed --keyring my-keyring.kbx "
        "--signature file://$PWD/manifest.asc"
    )
    assert "Successfully verified" in shell(verify, tmp_path)
    readme = tmp_path / "installed/ansible_collections/aifactory/benchmark/README.md"
    text = readme.read_text()
    readme.write_text(text + "changed\n")
    assert "modified content" in shell(f"{verify} || echo ended with $?", tmp_path)
    readme.write_text(text)
    (tmp_path / "manifest").write_text("{}")
    shell("gpg --batch --yes --armor --detach-sign manifest", tmp_path)
    assert "Signature verification failed" in shell(f"{verify} || echo ended with $?", tmp_path)
    shell("gpgconf --kill all", tmp_path)

# SPDX-License-Identifier: MIT
"""Whether a version may be released: galaxy.yml, changelog, fragments and git tags agree on semantic versioning.

usage: release_version.py [VERSION]   prints VERSION (by default galaxy.yml's) and ends with 0, or says what is wrong
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from semantic_version import Version

ROOT = Path(__file__).resolve().parents[1]
_BREAKING = {"breaking_changes", "removed_features"}
_PATCH = {"bugfixes", "security_fixes", "known_issues", "trivial"}


@dataclass(frozen=True)
class Repository:
    """What a repository says of its versions; tags without the `v`, those of HEAD apart."""

    released: tuple[str, ...] = ()
    fragments: dict[str, set[str]] = field(default_factory=dict)  # name → the sections of the changelog in it
    tags: frozenset[str] = frozenset()
    head_tags: frozenset[str] = frozenset()


def newest(versions: Iterable[str]) -> Version | None:
    """The highest by semantic versioning; None of none."""
    return max(map(Version, versions), default=None)


def least(latest: Version | None, sections: set[str]) -> Version:
    """The least version that may follow `latest` with changes of these sections (semver.org, 4 and 6 to 8)."""
    if latest is None:
        return Version("0.1.0")
    if sections <= _PATCH:
        return latest.next_patch()
    if sections & _BREAKING and latest.major > 0:
        return latest.next_major()
    return latest.next_minor()


def problems(version: str, repository: Repository) -> list[str]:
    """What keeps this version from being released, each with its remedy; nothing where it may be."""
    try:
        wanted = Version(version)
    except ValueError:
        return [f"{version!r} is no semantic version: write MAJOR.MINOR.PATCH, such as 0.2.0"]
    latest = newest(repository.released)
    found = []
    if repository.fragments:
        needed = least(latest, set().union(*repository.fragments.values()))
        if wanted < needed:
            found.append(
                f"version {wanted} is too low: {len(repository.fragments)} fragments wait in changelogs/fragments and "
                f"{latest or 'nothing'} was the last release, so it has to be {needed} at least: "
                f"make release VERSION={needed}"
            )
    elif wanted != latest:
        found.append(
            f"changelogs/changelog.yaml ends with {latest}, not with {wanted}, and no fragment tells what is new"
        )
    if repository.head_tags and version not in repository.head_tags:
        found.append(f"this commit is tagged v{', v'.join(sorted(repository.head_tags))}, not v{wanted}")
    if version in repository.tags - repository.head_tags:
        found.append(f"v{wanted} is a tag of another commit: check that out, or release a higher version")
    highest = newest(repository.tags)
    if highest and wanted < highest:
        found.append(f"version {wanted} is lower than the tag v{highest}")
    return found


def read(root: Path) -> Repository:
    """What the checkout says."""
    fragments = {
        path.name: set(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
        for path in (root / "changelogs" / "fragments").glob("*.y*ml")
    }
    changelog = yaml.safe_load((root / "changelogs" / "changelog.yaml").read_text(encoding="utf-8"))
    return Repository(
        released=tuple(changelog["releases"]),
        fragments=fragments,
        tags=_tags(root),
        head_tags=_tags(root, "--points-at", "HEAD"),
    )


def _tags(root: Path, *which: str) -> frozenset[str]:
    asked = ["git", "-C", str(root), "tag", "--list", "v*", *which]
    listed = subprocess.run(asked, capture_output=True, text=True, check=True)
    return frozenset(tag.removeprefix("v") for tag in listed.stdout.split())


def main(arguments: list[str]) -> int:
    """Judge one version of this checkout."""
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    [version] = [argument for argument in arguments if argument] or [galaxy]
    found = problems(version, read(ROOT))
    print("\n".join(f"release: {problem}" for problem in found) or version, file=sys.stderr if found else sys.stdout)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Builds agent.pyz, the program that runs inside the jobs, out of this collection's module_utils.

The same sources make the same bytes, on any machine: sorted names, one fixed time, nothing compressed (another
zlib would compress otherwise; and what is stored starts faster).
"""

import ast
import hashlib
import os
import zipfile
from pathlib import Path

PACKAGE = "ansible_collections.aifactory.benchmark.plugins.module_utils"
_SOURCES = Path(__file__).resolve().parent.parent / "module_utils"
_ROOTS = ("agent", "load")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold
_SHEBANG = b"#!/usr/bin/env python3\n"
_MAIN = f"import sys\n\nfrom {PACKAGE}.agent.main import main\n\nsys.exit(main())\n"


def build(dest):
    """Write the zipapp to `dest` (str or Path), atomically. Returns its SHA-256 (str, hexadecimal)."""
    dest = Path(dest)
    part = dest.with_name(f".{dest.name}.{os.getpid()}")
    try:
        with open(part, "wb") as stream:
            stream.write(_SHEBANG)
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
                for name, content in sorted(contents().items()):
                    entry = zipfile.ZipInfo(name, _EPOCH)
                    entry.create_system = 3  # Unix, wherever it is built
                    entry.external_attr = 0o100644 << 16
                    archive.writestr(entry, content)
        part.chmod(0o755)
        os.replace(part, dest)
    finally:
        part.unlink(missing_ok=True)
    return hashlib.sha256(dest.read_bytes()).hexdigest()


def contents():
    """Name in the archive -> bytes: the packages `agent` and `load` and whatever of module_utils they import."""
    wanted = [path for root in _ROOTS for path in sorted((_SOURCES / root).rglob("*.py"))]
    found = {}
    while wanted:
        path = wanted.pop()
        if path in found:
            continue
        found[path] = path.read_bytes()
        wanted += _imports(path, found[path])
    base = PACKAGE.replace(".", "/")
    archive = {"__main__.py": _MAIN.encode()}
    for path, content in found.items():
        archive[f"{base}/{path.relative_to(_SOURCES).as_posix()}"] = content
    for name in list(archive):
        for parent in Path(name).parents:
            if parent != Path("."):
                archive.setdefault(f"{parent.as_posix()}/__init__.py", b"")
    return archive


def _imports(path, content):
    """The files (list of Path) of module_utils that a module imports, its packages' own __init__.py among them."""
    names = []
    for node in ast.walk(ast.parse(content, str(path))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
    files = []
    for name in names:
        if not name.startswith(PACKAGE + "."):
            continue
        parts = name[len(PACKAGE) + 1 :].split(".")
        places = [_SOURCES.joinpath(*parts[: n + 1]) for n in range(len(parts))]
        candidates = [place / "__init__.py" for place in places] + [places[-1].with_suffix(".py")]
        files += [file for file in candidates if file.is_file()]
    return files

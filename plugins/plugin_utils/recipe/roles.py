# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Service types: the roles that describe a service, read without running them.

A role is a service type when its ``vars/main.yml`` defines ``ROLE_service``.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

COLLECTION = "aifactory.benchmark"
COLLECTION_ROOT = Path(__file__).resolve().parents[3]


class RoleError(Exception):
    """A role that isn't there, or whose files can't be read."""


class _Loader(yaml.SafeLoader):
    """Reads what Ansible reads; values with tags (``!unsafe``, ``!vault``) as their plain text."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: loader.construct_scalar(node))


@dataclass(frozen=True)
class ServiceType:
    """What a role says of its service. ``options`` are its settings, by name without the role's prefix."""

    name: str
    role: str
    definition: dict[str, Any]
    options: dict[str, dict[str, Any]]

    @property
    def workload(self) -> str:
        """The workload that drives such a service when the recipe names none."""
        return str(self.definition.get("workload", "command"))

    @property
    def workload_settings(self) -> dict[str, Any]:
        """Defaults of the settings of that workload, for this service; the recipe's own go before them."""
        return dict(self.definition.get("workload_settings") or {})


# Keys of a recipe's `service` that a role may also have as options: they are given there, not in `settings`.
_RECIPE_KEYS = frozenset({"image", "command", "port", "env", "volumes", "health", "metrics", "prefetch"})


def service_types(root: Path = COLLECTION_ROOT) -> list[str]:
    """Names of the service types of this collection."""
    folders = sorted((root / "roles").iterdir()) if (root / "roles").is_dir() else []
    return [folder.name for folder in folders if f"{folder.name}_service" in _read(folder, "vars/main")]


def service_type(name: str) -> ServiceType:
    """Reads the role of a type, ``postgresql`` or ``namespace.collection.role``. Raises ``RoleError``."""
    parts = name.split(".")
    if len(parts) == 2:
        raise RoleError(f"'{name}' is neither a type of this collection nor namespace.collection.role")
    role = f"{COLLECTION}.{name}" if len(parts) == 1 else name
    namespace, collection, short = role.split(".")
    root = COLLECTION_ROOT if f"{namespace}.{collection}" == COLLECTION else _collection_root(namespace, collection)
    if root is None:
        raise RoleError(f"the collection {namespace}.{collection} is not installed")
    folder = root / "roles" / short
    definition = _read(folder, "vars/main").get(f"{short}_service")
    if not isinstance(definition, dict):
        raise RoleError(f"the role {role} is no service type: its vars/main.yml defines no {short}_service")
    specs = _read(folder, "meta/argument_specs") or _read(folder, "meta/main")
    options = ((specs.get("argument_specs") or {}).get("main") or {}).get("options") or {}
    prefix = f"{short}_"
    settings = {
        option.removeprefix(prefix): spec or {}
        for option, spec in options.items()
        if option.startswith(prefix) and option.removeprefix(prefix) not in _RECIPE_KEYS
    }
    return ServiceType(name=short, role=role, definition=definition, options=settings)


def _collection_root(namespace: str, collection: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(f"ansible_collections.{namespace}.{collection}")
    except (ImportError, ValueError):
        return None
    locations = list(spec.submodule_search_locations or []) if spec else []
    return Path(locations[0]) if locations else None


def _read(folder: Path, stem: str) -> dict[str, Any]:
    for suffix in (".yml", ".yaml"):
        path = folder / f"{stem}{suffix}"
        if path.is_file():
            try:
                data = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # a SafeLoader
            except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
                raise RoleError(f"{path} can't be read: {' '.join(str(error).split())}") from error
            return data if isinstance(data, dict) else {}
    return {}

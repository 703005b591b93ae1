# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A stand-in for a library that is not installed, so that Ansible can load a plugin and say what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn


class Missing:
    """Takes the library's place while modules are loaded: it can be called, asked for attributes and inherited from.

    `message` (str) is what `fail` raises as ImportError, at the first real use.
    """

    def __init__(self, message: str) -> None:
        self._message = message

    def __getattr__(self, name: str) -> Missing:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Missing:
        """Itself: a definition that calls the library goes on."""
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type]:
        """The base of a class that inherits from the library."""
        return (_Base,)

    def fail(self) -> NoReturn:
        """Raise ImportError with the message for the user."""
        raise ImportError(self._message)


class _Meta(type):
    """Gives classes the attributes that the library would have given them."""

    def __getattr__(cls, name: str) -> Missing:
        if name.startswith("__"):
            raise AttributeError(name)
        return Missing("")


class _Base(metaclass=_Meta):
    """What inherits from a Missing inherits from this."""


def require(library: Any) -> None:
    """Raise ImportError with the message for the user when `library` is a Missing."""
    if isinstance(library, Missing):
        library.fail()

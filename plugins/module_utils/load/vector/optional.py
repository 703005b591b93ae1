# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What makes things faster, or possible, where it is installed. Imported when it is first needed: it takes a while."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import importlib

_FOUND = {}


def numpy():
    """The module numpy, None where there is none."""
    return _module("numpy")


def h5py():
    """The module h5py, None where there is none."""
    return _module("h5py")


def _module(name):
    if name not in _FOUND:
        try:
            _FOUND[name] = importlib.import_module(name)
        except ImportError:
            _FOUND[name] = None
    return _FOUND[name]

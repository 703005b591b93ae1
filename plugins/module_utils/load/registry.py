# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The registry of workloads: one file in workloads/ is one workload, by its name.

`SETTINGS` of a workload: option -> {"type": str|path|int|float|bool|list|dict, "default": ..., "choices": [...],
"min": number, "description": str, "elements": type of a list's items, "options": the same again for a dict's
or for each item's keys}. `type` and `description` are always there, the rest where it applies.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import importlib
import os
import pkgutil

from ansible_collections.aifactory.benchmark.plugins.module_utils.load import workloads


def names():
    """The names (list of str) of all workloads, in order."""
    return sorted(found[1] for found in pkgutil.iter_modules(workloads.__path__))


def load(name):
    """The module of a workload. Raises KeyError when there is none of this name."""
    if name not in names():
        raise KeyError("there is no workload %r; there are %s" % (name, ", ".join(names())))
    return importlib.import_module("%s.%s" % (workloads.__name__, name))


def settings_of(name):
    """The typed settings (dict) of a workload. Raises KeyError when there is none of this name."""
    return load(name).SETTINGS


def with_defaults(name, settings):
    """`settings` (dict or None), checked by the recipe already, completed with the workload's defaults."""
    complete = {option: spec.get("default") for option, spec in settings_of(name).items()}
    complete.update(settings or {})
    return complete


def located(name, settings, directory):
    """`settings` (dict) with its files as whole paths: what is relative lies in `directory`, the run's."""
    paths = [option for option, spec in settings_of(name).items() if spec["type"] == "path"]
    found = {option: os.path.join(directory, settings[option]) for option in paths if settings.get(option)}
    return dict(settings, **found)

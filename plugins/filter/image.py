# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters for image references; each is documented in a YAML file of its name."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe import images


def image_reference(reference):
    """The full form of an image reference; a path stays as it is."""
    try:
        return images.normalise_image(reference)
    except ValueError as error:
        raise AnsibleFilterError(f"image_reference: {error}") from None


def substitute_image(reference, substitutes):
    """The cluster's own image for a reference, else the reference; both in full form."""
    try:
        return images.substitute_image(reference, substitutes or {})
    except ValueError as error:
        raise AnsibleFilterError(f"substitute_image: {error}") from None


class FilterModule:
    """Filters for image references."""

    def filters(self):
        return {"image_reference": image_reference, "substitute_image": substitute_image}

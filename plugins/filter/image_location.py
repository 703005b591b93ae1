# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""See DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
name: image_location
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.1.0
short_description: Where the image of a reference lies on a cluster
description:
  - Gives the path of the SIF file or sandbox that stands for an image reference on one cluster, and whether it must be
    fetched first.
positional: _input, images, cache
options:
  _input:
    description: Image reference or path; empty for none.
    type: str
    required: true
  images:
    description: The cluster's substitutions (C(benchmark_images)), reference to path or other reference.
    type: dict
    required: true
  cache:
    description: Directory of pulled images (C(benchmark_image_cache)).
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Where postgres:17 is on this cluster
  ansible.builtin.debug:
    msg: "{{ 'postgres:17' | aifactory.benchmark.image_location({}, '/scratch/images') }}"
"""

RETURN = r"""
_value:
  description: C(asked) (the reference as asked), C(reference), C(path) and C(fetch); all empty for no image.
  type: dict
"""


from ansible.errors import AnsibleFilterError  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.module_utils.apptainer.image import cache_name  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.images import (  # noqa: E402
    is_path,
    substitute_image,
)


def image_location(asked, images, cache):
    """{"asked", "reference", "path", "fetch"} of an image reference or path (str) on a cluster."""
    asked = str(asked or "").strip()
    if not asked:
        return {"asked": "", "reference": "", "path": "", "fetch": False}
    try:
        reference = substitute_image(asked, images or {})
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from None
    if is_path(reference):
        return {"asked": asked, "reference": reference, "path": reference, "fetch": False}
    return {"asked": asked, "reference": reference, "path": f"{cache}/{cache_name(reference)}", "fetch": True}


class FilterModule:
    """The filter of this file."""

    def filters(self):
        """Name → function."""
        return {"image_location": image_location}

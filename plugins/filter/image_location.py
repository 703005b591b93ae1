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
  - What is built from a file, an archive or a definition, is in the cache under a name that goes by the file's content,
    which only the cluster knows. Its path is that of a link in the run's directory, made by the job that builds it.
positional: _input, images, cache, run_dir, pin
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
  run_dir:
    description: The run's directory.
    type: str
    default: ""
  pin:
    description: What is used in its place, whatever O(images) says, as in a run that is run again; empty for nothing.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Where postgres:17 is on this cluster
  ansible.builtin.debug:
    msg: "{{ 'postgres:17' | aifactory.benchmark.image_location({}, '/scratch/images') }}"
"""

RETURN = r"""
_value:
  description:
    - C(asked) (the reference as asked), C(reference), C(path), C(fetch), C(built) (whether from a file), C(needs) (path
      of what has to be on the cluster). All empty for no image.
  type: dict
"""


from ansible.errors import AnsibleFilterError  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.module_utils.apptainer import source  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.module_utils.apptainer.image import cache_name  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.images import (  # noqa: E402
    is_path,
    normalise_image,
    substitute_image,
)


def image_location(asked, images, cache, run_dir="", pin=""):
    """{"asked", "reference", "path", "fetch", "built", "needs"} of an image reference or path (str) on a cluster."""
    asked = str(asked or "").strip()
    found = {"asked": asked, "reference": "", "path": "", "fetch": False, "built": False, "needs": ""}
    if not asked:
        return found
    try:
        reference = normalise_image(pin) if pin else substitute_image(asked, images or {})
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from None
    file = source.file_of(reference)
    if file:
        link = f"{run_dir}/images/{cache_name(reference)}"
        needs = file if file.startswith("/") else ""  # a relative one is shipped with the run
        return {**found, "reference": reference, "path": link, "fetch": True, "built": True, "needs": needs}
    if is_path(reference):
        return {**found, "reference": reference, "path": reference, "needs": reference}
    return {**found, "reference": reference, "path": f"{cache}/{cache_name(reference)}", "fetch": True}


class FilterModule:
    """The filter of this file."""

    def filters(self):
        """Name → function."""
        return {"image_location": image_location}

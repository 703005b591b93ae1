# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""See DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
name: clusters
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.1.0
short_description: The clusters that a play is about
description:
  - Gives the host pattern for C(hosts) of a play, from what the command line says.
  - With C(--limit) it is V(all), so that the limit alone chooses.
  - Else it is the cluster of O(run), where this controller knows it, else C(configuration.target) of O(recipe), else
    the group C(clusters) of the inventory where there is one, else V(all).
  - The C(hosts) of a play knows no variables of hosts and groups. C(benchmark_home) counts here as an extra variable
    or as the environment variable E(AIFACTORY_HOME); where only the inventory has it, the clusters are asked.
  - A recipe is checked on the way, so that its mistakes show once and before anything starts.
options:
  _terms:
    description: Not used.
    required: false
  recipe:
    description: A recipe, by path or by name.
    type: str
    default: ''
  run:
    description: A run, by its id, a unique prefix of it, or V(latest); V(all_orphans) means all clusters.
    type: str
    default: ''
seealso:
  - plugin: aifactory.benchmark.recipe_info
    plugin_type: module
"""

EXAMPLES = r"""
- name: Deploy the service of a recipe on its clusters
  hosts: "{{ lookup('aifactory.benchmark.clusters', recipe=recipe | default('')) }}"
  gather_facts: false
  tasks: []
"""

RETURN = r"""
_raw:
  description: The host pattern.
  type: list
  elements: str
"""

from ansible.errors import AnsibleLookupError  # noqa: E402
from ansible.plugins.lookup import LookupBase  # noqa: E402

ORPHANS = "all_orphans"  # no run of this controller, but what nobody looks after on any cluster


class LookupModule(LookupBase):
    """The host pattern of a play."""

    def run(self, terms, variables=None, **kwargs):
        """A list of one pattern. Raises ``AnsibleLookupError`` in words for the user."""
        self.set_options(var_options=variables, direct=kwargs)
        known = variables or {}
        groups = known.get("groups") or {}
        target = self._target(known)
        if known.get("ansible_limit"):
            return ["all"]
        if self.get_option("run") not in (None, "", ORPHANS):
            cluster = self._cluster_of_run(known)
            if cluster:
                return [cluster]
        if target:
            self._check(target, groups)
            return [target]
        if "all" in groups and not groups["all"]:
            raise AnsibleLookupError("the inventory has no host: give one with -i (inventory/README.md says how)")
        return ["clusters" if groups.get("clusters") else "all"]

    def _target(self, variables):
        """The recipe's target; the recipe is checked, whether or not its target counts."""
        if not self.get_option("recipe"):
            return None
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.catalogue import default_search_paths
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.errors import RecipeError

        try:
            from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.load import load_recipe
        except ImportError as error:
            raise AnsibleLookupError(str(error)) from None

        paths = default_search_paths(variables.get("playbook_dir"), self._home(variables))
        try:
            return load_recipe(str(self.get_option("recipe")), paths).target
        except RecipeError as error:
            raise AnsibleLookupError(f"the recipe is not valid:\n{error}") from None

    def _home(self, variables):
        """`benchmark_home`, where it is an extra variable: a play's `hosts` knows no variables of hosts and groups."""
        return self._templar.template(variables.get("benchmark_home"))

    def _cluster_of_run(self, variables):
        """The cluster of a run of this controller; None where it does not know, and the clusters have to be asked."""
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils import runs

        try:
            run = runs.find_run(runs.benchmark_home(self._home(variables)), str(self.get_option("run")))
            cluster = runs.cluster_of(run)
        except runs.NoSuchRun:
            return None
        except runs.RunError as error:
            raise AnsibleLookupError(str(error)) from None
        if cluster:
            self._check(cluster, variables.get("groups") or {})
        return cluster

    def _check(self, target, groups):
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.targets import unknown_targets

        for name, remedy in unknown_targets(target, groups):
            raise AnsibleLookupError(
                f"the inventory has no host or group '{name}'; {remedy}. Choose clusters with -l, or give the"
                " inventory that has it with -i (such as -i inventory/meluxina.yml)"
            )

# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""See DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
name: awx_survey
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.2.0
short_description: Surveys of AWX for the collection's playbooks
description:
  - Makes the survey of a job template of AWX from the recipe's schema, and checks it by AWX's rules.
options:
  _terms:
    description:
      - V(recipe) asks which recipe (of the playbook C(run)), V(gate) that and the baseline (of a workflow).
      - V(wizard) asks what the playbook C(wizard) asks, V(compare) for runs and baseline, V(run) for a run.
      - V(watch) asks for a run that may be left open.
    required: true
  recipes:
    description: Names of the recipes to choose from; empty for the shipped ones, without those for the local cluster.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Show a survey
  ansible.builtin.debug:
    msg: "{{ lookup('aifactory.benchmark.awx_survey', 'wizard') }}"
"""

RETURN = r"""
_raw:
  description: The surveys, as AWX takes them.
  type: list
  elements: dict
"""

from ansible.errors import AnsibleLookupError  # noqa: E402
from ansible.plugins.lookup import LookupBase  # noqa: E402


class LookupModule(LookupBase):
    """Surveys by their names."""

    def run(self, terms, variables=None, **kwargs):
        """One survey for each name. Raises ``AnsibleLookupError`` in words for the user."""
        self.set_options(var_options=variables, direct=kwargs)
        try:
            from ansible_collections.aifactory.benchmark.plugins.plugin_utils.awx import survey
        except ImportError as error:
            raise AnsibleLookupError(str(error)) from None
        try:
            return [survey.named(term, self.get_option("recipes")) for term in terms]
        except (survey.SurveyError, ImportError) as error:
            raise AnsibleLookupError(str(error)) from None

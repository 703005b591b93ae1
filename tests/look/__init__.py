# SPDX-License-Identifier: MIT
"""Pictures for a person's eye: what no test can judge."""

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Say, as JSON, where this machine's packages come from and whether Apptainer is among them.
set -euo pipefail

# The mirror of the distribution, as apt is configured: RELEASE is what the sources say, CODENAME what
# the mirror answered.
# shellcheck disable=SC2016 # the fields are apt's
main_mirror() {
  apt-get indextargets --format '$(RELEASE) $(CODENAME) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
    awk -v codename="$1" '($1 == codename || $2 == codename) && $3 == "main" && !found { print $4; found = 1 }'
}

# shellcheck source=/dev/null
. /etc/os-release
packaged=false
if apt-cache madison apptainer | grep . >/dev/null; then packaged=true; fi
echo "{\"mirror\": \"$(main_mirror "${VERSION_CODENAME:-}")\", \"apptainer_packaged\": $packaged}"

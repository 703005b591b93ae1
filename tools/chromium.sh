#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Chromium of the distribution for the browser tests, where there is none yet.
set -euo pipefail
if ! command -v chromium >/dev/null; then
  sudo=$([ "$(id -u)" = 0 ] || echo sudo)
  $sudo apt-get install -y -qq chromium
fi

#!/usr/bin/env bash
# A thousand made-up bills with differences put in on purpose have 95 % of each cause's dollars under
# that cause; mixes of other shapes are told beside them. MIXES, MIXES_OTHER, FIRST_SEED can be set.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
node --import tsx infra/prove/gap/main.ts

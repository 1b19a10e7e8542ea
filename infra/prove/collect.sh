#!/bin/sh
# One collector on one core at 20 k native events/s, at 5 k spans/s and at both, flooded, and killed at
# full load: every event that it acknowledged is in the log, none twice but what was sent again.
# SECONDS_EACH can be set, and COLLECTOR to a built program.
set -eu
cd "$(dirname "$0")/../.."
node --import tsx infra/bench/collect/main.ts native spans both "${SECONDS_EACH:-60}"

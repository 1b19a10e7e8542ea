#!/usr/bin/env bash
# A month of 10 M events sums to its bill, and a close that is killed at every single step gives the
# manifest that it gives undisturbed. EVENTS can be set.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
EVENTS="${EVENTS:-10000000}" node --import tsx --test jobs/chargeback/generated-month.test.ts
CRASH_STEP=1 node --import tsx --test jobs/chargeback/close.test.ts

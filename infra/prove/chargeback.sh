#!/usr/bin/env bash
# A month of 10 M events sums to its bill, and a close that dies at any step of the lake's storage, or
# whose process is killed before any write or by the clock, gives the manifest that it gives
# undisturbed. EVENTS can be set.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
EVENTS="${EVENTS:-10000000}" node --import tsx --test jobs/chargeback/generated-month.test.ts
CRASH_STEP=1 node --import tsx --test jobs/chargeback/close.test.ts
CRASH_STEP=1 CLOCK_KILLS=20 node --import tsx --test jobs/chargeback/close.system.test.ts
MIXES="${MIXES:-1000}" node --import tsx --test jobs/reconcile/gap-injector.test.ts

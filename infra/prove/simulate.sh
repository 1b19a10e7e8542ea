#!/bin/sh
# Ten thousand simulated worlds, from collecting to findings, in which everything that can breaks does.
# FIRST_SEED can be set; a seed that fails prints itself.
set -eu
cd "$(dirname "$0")/../.."
SEEDS="${SEEDS:-10000}" npm run --silent test -- --test-name-pattern 'keeps every promise' infra/sim/simulate.test.ts

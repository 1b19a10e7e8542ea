#!/bin/sh
# Every decoder under 100,000 inputs that coverage guides: no crash, no hang, no 5xx. INPUTS, SEED and
# names of targets can be given.
set -eu
cd "$(dirname "$0")/../.."
node --import tsx infra/fuzz/main.ts "$@"

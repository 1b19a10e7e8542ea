#!/bin/sh
# The tests of every fault in infra/FAULTS.md, one after the other: what they see is written into the
# page. Numbers of faults can be given.
set -eu
cd "$(dirname "$0")/../.."
node --import tsx infra/faults/main.ts run "$@"

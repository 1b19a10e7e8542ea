#!/usr/bin/env bash
# Compiles the product and its benches into .tmp/bench/dist: what is raced is what users run, plain
# JavaScript, and not sources through a loader.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
npx tsc -p infra/bench
find schemas services jobs -type f ! -name '*.ts' ! -path '*/fixtures/*' ! -path '*/cases/*' \
  ! -path '*/page/app/*' -exec cp --parents {} .tmp/bench/dist ';'

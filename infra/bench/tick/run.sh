#!/usr/bin/env bash
# Measures ticks of the product as it is shipped, compiled; main.ts says what can be set.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)"
built="$root/.tmp/bench/tick"
cd "$root"
rm -rf "$built" "$built.tsbuildinfo"
npx tsc -p infra/bench --noCheck --outDir "$built" --tsBuildInfoFile "$built.tsbuildinfo"
find schemas services -type f ! -name '*.ts' ! -path '*/fixtures/*' ! -path '*/page/app/*' \
  -exec cp --parents {} "$built" ';'
exec node "$built/infra/bench/tick/main.js"

#!/bin/sh
# Ten thousand bits that flip in a lake at rest, file by file: each is found and mended byte for byte.
set -eu
cd "$(dirname "$0")/../.."
BITS="${BITS:-10000}" npm run --silent test -- infra/faults/flipped-bits.system.test.ts

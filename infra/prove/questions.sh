#!/bin/sh
# Ten thousand cases made from the OpenAPI document: no 5xx, and a tenant's key sees no other.
set -eu
cd "$(dirname "$0")/../.."
FUZZ_CASES=10000 npm run --silent test -- services/serve/fuzz.test.ts

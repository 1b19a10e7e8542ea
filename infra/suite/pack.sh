#!/usr/bin/env bash
# Packs the product as it is published and unpacks it, once for all tests that run its command.
set -euo pipefail
cd "$(dirname "$0")/../.."
rm -rf .tmp/packed
mkdir -p .tmp/packed
npm pack --silent --pack-destination .tmp/packed
tar -xzf .tmp/packed/*.tgz -C .tmp/packed

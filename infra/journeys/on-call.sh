#!/usr/bin/env bash
# Somebody on call is paged and acts, in an empty folder, with `tally` and jq on the path. $ALERTMANAGER is the
# address of theirs, $PORT where the page shall stand. What each step prints stands in a file of its own;
# `on-call.system.test.ts` reads them, and follows the links of the page that came.
set -euo pipefail
data=./demo/shifted
tally demo --no-open --data ./demo > demo.txt
tally serve --data $data --port "$PORT" > serve.txt 2>&1 &
curl -sf --retry 120 --retry-delay 1 --retry-all-errors "localhost:$PORT/readyz" > ready.txt

# 1. The page comes from their own Alertmanager; told once more, nothing is told twice.
cat > alerts.yaml <<YAML
page_url: http://localhost:$PORT
channels:
  - { name: oncall, kind: alertmanager, url: "$ALERTMANAGER" }
YAML
tally alert run --once --config alerts.yaml --data $data
tally alert run --once --config alerts.yaml --data $data

# 3. The same in a terminal, where no browser is at hand.
tally findings --open --json --data $data > open.ndjson
fingerprint=$(jq -r 'select(.signal == "cache-thrash" and .tenant == "tenant-a") | .fingerprint' open.ndjson | head -1)
echo "$fingerprint" > fingerprint.txt
tally findings show "$fingerprint" --evidence 20 --json --data $data > shown.json
code=0
tally findings --open --signal cache-thrash --fail-on-findings --data $data > listed.txt || code=$?
echo $code > listed.code

# 4. Acts: says that somebody is at it, and silences it for an hour.
tally alert acknowledge "$fingerprint" --note "rolled back" --by sre --data $data --json > acknowledged.json
tally alert mute "$fingerprint" --until "$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%SZ)" --by sre --data $data --json > muted.json
tally alert run --once --config alerts.yaml --data $data
tally alert status --data $data --json > status.json
code=0
tally alert acknowledge nonsense --data $data 2> refused.txt || code=$?
echo $code > refused.code

# 5. For the review: what happened when, and what it cost.
tally findings show "$fingerprint" --data $data > review.md

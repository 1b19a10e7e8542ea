#!/usr/bin/env bash
# Somebody of finance closes a month, in an empty folder, with `tally` on the path. What each step prints
# stands in a file of its own; `finance.system.test.ts` reads them.
set -euo pipefail
month=2026-01
data=./tally

cat > calls.ndjson <<'NDJSON'
{"id":"a","time":"2026-01-05T10:00:00Z","tenant":"acme","kind":"llm","provider":"openai","response_model":"gpt-4o-2024-08-06","usage":{"prompt_tokens":4000000,"completion_tokens":100000}}
{"id":"b","time":"2026-01-05T11:00:00Z","tenant":"globex","kind":"llm","provider":"openai","response_model":"gpt-4o-2024-08-06","usage":{"prompt_tokens":2000000,"completion_tokens":0}}
{"id":"g","time":"2026-01-05T12:00:00Z","tenant":"gateway","kind":"llm","provider":"openai","response_model":"gpt-4o-2024-08-06","usage":{"prompt_tokens":400000,"completion_tokens":0}}
NDJSON
# A page of OpenAI's costs API: input as metered, and this much for output.
bill() {
  cat <<JSON
{ "object": "page", "has_more": false, "data": [{ "object": "bucket", "start_time": 1767571200, "end_time": 1767657600,
  "results": [
    { "object": "organization.costs.result", "amount": { "value": 16.0, "currency": "usd" }, "line_item": "gpt-4o-2024-08-06, input" },
    { "object": "organization.costs.result", "amount": { "value": $1, "currency": "usd" }, "line_item": "gpt-4o-2024-08-06, output" } ] }] }
JSON
}
tally ingest calls.ndjson --data $data --json > ingested.json

# 1. What is missing?
tally close $month --dry-run --data $data --json > before.json

# 2. The first bill is far off: it is looked at, and not taken.
bill 9.0 > wrong.json
code=0
tally reconcile --bill wrong.json --as openai/costs --check --data $data --json > wrong-gap.json || code=$?
echo $code > wrong-gap.code
bill 1.5 > costs.json
tally reconcile --bill costs.json --as openai/costs --import --check --data $data --json > gap.json

# 3. The gateway's calls are shared by those who went through it.
cat > allocation.yaml <<'YAML'
rules:
  - { id: gateway, match: { tenant: gateway }, method: proportional, by: cost }
YAML

# 4. Looked at once more, then closed; closing again changes nothing.
tally close $month --dry-run --data $data --rules allocation.yaml --json > ready.json
tally close $month --data $data --rules allocation.yaml --out closed --json > closed.json
tally close $month --data $data --out again --json > again.json
sha256sum closed/$month/manifest.json | cut -d' ' -f1 > manifest.sha256
diff -r closed again && echo same > again.same

# 5. What came too late is in no statement of this month.
sed -n '2s/"b"/"late"/p' calls.ndjson > late.ndjson
tally ingest late.ndjson --data $data --json > late.json
tally close $month --data $data --out after --json > after.json
diff -r closed after && echo same > after.same

# 6. The export, and the sum over it.
tally export focus --data $data -o focus --json > exported.json
tally sql "SELECT sum(cents)::INTEGER AS cents FROM statements WHERE section = 'total'" --data $data --json > sum.json

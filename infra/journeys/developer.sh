#!/usr/bin/env bash
# A developer sends the first event, in an empty folder, with `tally` and curl on the path. $PORT is where it
# shall listen. What each step prints stands in a file of its own; `developer.system.test.ts` reads them, and
# looks at the page meanwhile: a file `go` says that it has seen the page empty.
set -euo pipefail
api=localhost:$PORT
tally keys --keys keys.json --scopes ingest --tenant globex > ingest.key
tally keys --keys keys.json --scopes read:tenant/globex > read.key
tally up --data ./tally --port "$PORT" --keys keys.json --flush-ms 200 --log-level warn > up.txt 2>&1 &
curl -sf --retry 120 --retry-delay 1 --retry-all-errors $api/readyz > ready.txt
until [ -e go ]; do sleep 0.1; done

send() { curl -sS -w '%{stderr}%{http_code}' $api/v1/events -H "authorization: Bearer $(cat ingest.key)" "$@"; }
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
event() {
  printf '{"id":"%s","time":"%s","kind":"llm","provider":"openai","response_model":"gpt-4o-2024-08-06",%s"usage":{"prompt_tokens":1000,"completion_tokens":120}}' "$1" "$now" "${2:-}"
}

# One call, as a native event; once more, which is no second call.
send -H 'content-type: application/json' -d "$(event first)" > sent.json 2> sent.status
send -H 'content-type: application/json' -d "$(event first)" > again.json 2> again.status

# The same as a CloudEvent.
send -H 'content-type: application/cloudevents+json' \
  -d "{\"specversion\":\"1.0\",\"type\":\"llm.call.v1\",\"source\":\"checkout\",\"id\":\"second\",\"time\":\"$now\",\"data\":$(event second)}" \
  > cloud.json 2> cloud.status

# A misspelt field, somebody else's tenant, no key, a key that may not.
send -H 'content-type: application/json' -d "$(event third '"providr":"x",')" > misspelt.json 2> misspelt.status
send -H 'content-type: application/json' -d "$(event fourth '"tenant":"initech",')" > other.json 2> other.status
curl -sS -w '%{stderr}%{http_code}' $api/v1/events -H 'content-type: application/json' -d "$(event fifth)" > nobody.json 2> nobody.status
curl -sS -w '%{stderr}%{http_code}' $api/v1/overview -H "authorization: Bearer $(cat ingest.key)" > unread.json 2> unread.status

# What came of it, by the API.
read_api() { curl -sSf "$api$1" -H "authorization: Bearer $(cat read.key)"; }
until read_api '/v1/events?last=1h' | grep -q '"second"'; do sleep 0.2; done
read_api '/v1/events?last=1h' > events.json
read_api '/v1/overview?last=1h' > overview.json

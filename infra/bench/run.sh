#!/usr/bin/env bash
# The race: the product beside other engines on one topic, medians of RUNS. Needs Java 17, Maven and
# the folder of peers (PEERS_DIR, by default ../shared/peers); prints a table and fails when two
# engines that keep the same windows disagree. EVENTS, RUNS and PEERS can be set.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
peers="${PEERS_DIR:-$root/../shared/peers}"
work="${BENCH_DIR:-$root/.tmp/bench}"
export KAFKA_PORT="${KAFKA_PORT:-29292}" KAFKA_DATA="$work/kafka"
export BROKERS="127.0.0.1:$KAFKA_PORT" TOPIC="${TOPIC:-bench}" RUNS="${RUNS:-3}" RESULTS="$work/results"
export SCHEMA="$work/peers/sample/usage-event.avsc" BENCH_DIR="$work"
fields=ts=occurred_at,tenant=tenant_id,model=response_model,route=route,in=input_tokens
fields=$fields,cached=cache_read_tokens,out=output_tokens,cost=cost_pico,id=event_id
[[ -d "$peers" ]] || { echo "no peers in $peers: set PEERS_DIR" >&2; exit 1; }

(cd "$root" && npm run --silent build)
mkdir -p "$work"
# The peers build beside their sources, so they work on a copy.
[[ -d "$work/peers" ]] || { cp -r "$peers" "$work/peers" && chmod -R u+w "$work/peers"; }
"$root/infra/kafka/start.sh"
trap '"$root/infra/kafka/stop.sh"' EXIT

if [[ ! -f "$work/$TOPIC.filled" ]]; then
  "$work/peers/java/peer.sh" gen --topic "$TOPIC" --brokers "$BROKERS" --events "${EVENTS:-2000000}" \
    --schema "$SCHEMA" --fields "$fields" --single-object --fill all
  touch "$work/$TOPIC.filled"
fi

product="node '$root/dist/infra/bench/main.js'"
echo '== stages of the product, one run each; decode includes fetch, land is landing alone'
for stage in fetch decode land; do STAGE="$stage" bash -c "$product"; done
echo '== the race'
PEERS="${PEERS:-aggregate streams-noshuffle-eos flink}" PRODUCT="$product" "$work/peers/bench.sh"

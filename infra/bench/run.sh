#!/usr/bin/env bash
# Benchmarks of the whole path, and their page. Without arguments all parts run, in this order:
#   race      the product beside other engines on one topic, medians of RUNS; fails when results differ
#   stages    fetch, fetch and decode, landing alone
#   group     two consumers of one group against one
#   live      latency of events and alerts, and memory, of `tally up` at RATES for MINUTES
#   backlog   10 M events, landed by one consumer
#   tick      one tick of detection
#   page      infra/BENCHMARKS.md out of what the parts have printed
# Needs Java 17, Maven and the folder of peers (PEERS_DIR, by default ../shared/peers).
# EVENTS (one size or several, in millions), TENANTS (several counts), RUNS and PEERS can be set.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
peers="${PEERS_DIR:-$root/../shared/peers}"
export BENCH_DIR="${BENCH_DIR:-$root/.tmp/bench}"
export KAFKA_PORT="${KAFKA_PORT:-29292}" KAFKA_DATA="$BENCH_DIR/kafka" RESULTS="$BENCH_DIR/results"
export BROKERS="127.0.0.1:$KAFKA_PORT" RUNS="${RUNS:-3}" PAGE="$root/infra/BENCHMARKS.md"
export SCHEMA="$BENCH_DIR/peers/sample/usage-event.avsc"
dist="$root/.tmp/bench/dist/infra/bench"
fields=ts=occurred_at,tenant=tenant_id,model=response_model,route=route,in=input_tokens
fields=$fields,cached=cache_read_tokens,out=output_tokens,cost=cost_pico,id=event_id
readonly backlog_millions=10

# Fills a topic of so many millions of events, once.
fill() {
  [[ -f "$BENCH_DIR/$1.filled" ]] && return
  "$BENCH_DIR/peers/java/peer.sh" gen --topic "$1" --brokers "$BROKERS" --events "$(($2 * 1000000))" \
    --schema "$SCHEMA" --fields "$fields" --single-object --fill all
  touch "$BENCH_DIR/$1.filled"
}

# All on one topic. A racer that differs is told at the end, and does not keep the others from running.
race_on() {
  TOPIC="$1" PEERS="${PEERS:-aggregate streams-noshuffle-eos flink}" PRODUCT="node '$dist/main.js'" \
    "$BENCH_DIR/peers/bench.sh" || differing="$differing $1"
}

race() {
  local millions count topic differing=
  for millions in ${EVENTS-2 1 10 50}; do
    fill "bench-${millions}m" "$millions"
    race_on "bench-${millions}m"
  done
  for count in ${TENANTS-10 1000 10000}; do
    topic="bench-tenants-$count"
    [[ -f "$BENCH_DIR/$topic.filled" ]] || FROM=bench-1m TO="$topic" TENANTS="$count" node "$dist/tenants/main.js"
    touch "$BENCH_DIR/$topic.filled"
    race_on "$topic"
  done
  [[ -z "$differing" ]] || { echo "results differ on$differing" >&2; return 1; }
}

stages() {
  fill bench-2m 2
  for stage in fetch decode land; do STAGE="$stage" TOPIC=bench-2m node "$dist/main.js"; done |
    tee "$RESULTS/stages.ndjson"
}

# Copies a topic into one whose partitions hold equally many events, once.
even() {
  [[ -f "$BENCH_DIR/$1-even.filled" ]] && return
  FROM="$1" TO="$1-even" TENANTS=2000 EVEN=1 node "$dist/tenants/main.js"
  touch "$BENCH_DIR/$1-even.filled"
}

group() {
  fill bench-2m 2
  fill backlog "$backlog_millions"
  even bench-2m
  even backlog
  export BROKER_PID
  BROKER_PID="$(<"$KAFKA_DATA/node.pid")"
  for topic in bench-2m bench-2m-even backlog-even; do TOPIC="$topic" node "$dist/group/main.js"; done |
    tee "$RESULTS/group.ndjson"
}

live() {
  for rate in ${RATES:-1000 10000}; do
    LIVE_RATE="$rate" LIVE_MINUTES="${MINUTES:-5}" node "$dist/live/main.js"
  done | tee "$RESULTS/live.ndjson"
}

backlog() {
  fill backlog "$backlog_millions"
  TOPIC=backlog OUT="$RESULTS/backlog.windows.ndjson" node "$dist/main.js" | tee "$RESULTS/backlog.ndjson"
}

# A tick that misses its bar is a figure too.
tick() { node "$dist/tick/main.js" | tee "$RESULTS/tick.txt" || true; }
page() { node "$dist/page/main.js"; }

[[ -d "$peers" ]] || { echo "no peers in $peers: set PEERS_DIR" >&2; exit 1; }
mkdir -p "$RESULTS"
"$root/infra/bench/build.sh"
# The peers build beside their sources, so they work on a copy.
[[ -d "$BENCH_DIR/peers" ]] || { cp -r "$peers" "$BENCH_DIR/peers" && chmod -R u+w "$BENCH_DIR/peers"; }
"$root/infra/kafka/start.sh"
trap '"$root/infra/kafka/stop.sh"' EXIT
for part in "${@:-race stages group live backlog tick page}"; do
  for one in $part; do echo "== $one" && "$one"; done
done

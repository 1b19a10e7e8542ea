#!/usr/bin/env bash
# Stops the node whose pid file lies in the data folder, and no other process. With --wipe its data
# goes too.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

readonly seconds_to_stop=30

if is_running; then
  pid="$(<"$pid_file")"
  kill -TERM "$pid"
  deadline=$((SECONDS + seconds_to_stop))
  while is_running; do
    ((SECONDS < deadline)) || fail "node $pid still runs after $seconds_to_stop s"
    sleep 0.1
  done
  echo "kafka: node $pid stopped"
else
  echo "kafka: no node runs in $data"
fi
rm -f "$pid_file"
if [[ "${1:-}" == --wipe ]]; then rm -rf "$data"; fi

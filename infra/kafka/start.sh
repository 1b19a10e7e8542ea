#!/usr/bin/env bash
# Starts one Kafka node, broker and controller in one or a broker of a cluster that runs, and returns
# once it answers. Settings: see environment.sh. A node that runs already is left alone.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

readonly seconds_to_start=90

if is_running; then
  echo "kafka: runs already at $host:$port, pid $(<"$pid_file")"
  exit 0
fi
need java 'a Java 17 runtime'
"$folder/fetch.sh"
mkdir -p "$data"

listener="CLIENTS://$host:$port"
if [[ -n "${KAFKA_JOINS:-}" ]]; then
  roles=broker listeners="$listener" controller="$KAFKA_JOINS"
else
  roles=broker,controller listeners="$listener,CONTROLLER://$host:$controller_port"
  controller="$node_id@$host:$controller_port"
fi

# Every internal topic has one replica, and groups need not wait for more members.
cat >"$settings" <<PROPERTIES
node.id=$node_id
process.roles=$roles
listeners=$listeners
advertised.listeners=CLIENTS://$host:$advertised_port
listener.security.protocol.map=CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=CLIENTS
controller.listener.names=CONTROLLER
controller.quorum.voters=$controller
broker.session.timeout.ms=${KAFKA_BROKER_SESSION_MS:-9000}
log.dirs=$data/records
num.partitions=1
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.retention.check.interval.ms=1000
PROPERTIES

if [[ ! -f "$data/records/meta.properties" ]]; then
  cluster_id="${KAFKA_CLUSTER_ID:-$(head -c 16 /dev/urandom | base64 | tr '+/' 'ab')}"
  java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$jars/*" kafka.tools.StorageTool format \
    --config "$settings" --cluster-id "${cluster_id%==}" >"$data/format.log" 2>&1 ||
    fail "the data folder could not be prepared, see $data/format.log"
fi

# shellcheck disable=SC2086
nohup java "-Xms$heap" "-Xmx$heap" ${KAFKA_JAVA_OPTIONS:-} -cp "$jars/*" kafka.Kafka "$settings" \
  >>"$data/node.log" 2>&1 </dev/null 8>&- &
node=$!
echo "$node" >"$pid_file"

deadline=$((SECONDS + seconds_to_start))
until answers; do
  # By its pid alone: for a moment it is still a copy of this script, with another command line.
  kill -0 "$node" 2>/dev/null || fail "the node ended while starting, see $data/node.log"
  ((SECONDS < deadline)) || fail "the node does not answer after $seconds_to_start s, see $data/node.log"
  sleep 0.2
done
echo "kafka: ready at $host:$port, pid $(<"$pid_file")"

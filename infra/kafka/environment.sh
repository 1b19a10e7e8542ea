# Read by the other scripts in this folder. Each setting can come from the environment:
#   KAFKA_HOST, KAFKA_PORT     where clients connect (127.0.0.1:29092)
#   KAFKA_ADVERTISED_PORT     where clients are told to connect, a proxy's (the port above)
#   KAFKA_CONTROLLER_PORT      the node's own door for its metadata (the port above)
#   KAFKA_NODE_ID              number of the node (1)
#   KAFKA_JOINS                controller of the cluster to join, as ID@HOST:PORT; without it the node
#                              is a cluster of its own, broker and controller in one
#   KAFKA_CLUSTER_ID           identity of the cluster (a new one)
#   KAFKA_BROKER_SESSION_MS    silence after which the controller takes a broker for dead (9000)
#   KAFKA_DATA                 folder of the node's records, settings, log and pid file
#   KAFKA_HEAP                 memory of the virtual machine (512m)
#   KAFKA_JAVA_OPTIONS         more options for it
folder="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
jars="$folder/lib"
node_id="${KAFKA_NODE_ID:-1}"
host="${KAFKA_HOST:-127.0.0.1}"
port="${KAFKA_PORT:-29092}"
advertised_port="${KAFKA_ADVERTISED_PORT:-$port}"
controller_port="${KAFKA_CONTROLLER_PORT:-$((port + 1))}"
data="${KAFKA_DATA:-$folder/data}"
heap="${KAFKA_HEAP:-512m}"
settings="$data/node.properties"
pid_file="$data/node.pid"

# Exit codes that callers tell apart.
readonly exit_failed=1 exit_tool_missing=3

fail() {
  echo "kafka: $1" >&2
  exit "${2:-$exit_failed}"
}

need() {
  command -v "$1" >/dev/null || fail "$1 is not installed; it needs $2" "$exit_tool_missing"
}

# A pid is believed only when its process was started with this data folder: pids are reused.
is_running() {
  local pid
  pid="$(cat "$pid_file" 2>/dev/null)" && [[ -n "$pid" ]] &&
    tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$settings"
}

# Asks for the list of APIs, the one request that every broker answers at once, and waits for the
# first bytes of the answer. No virtual machine is started for it.
answers() {
  local request='\x00\x00\x00\x0a\x00\x12\x00\x00\x00\x00\x00\x01\xff\xff'
  # shellcheck disable=SC2059
  { exec 9<>"/dev/tcp/$host/$port" && printf "$request" >&9 &&
    [[ "$(timeout 2 head -c 8 <&9 | wc -c)" == 8 ]]; } 2>/dev/null
  local answered=$?
  # In braces: an exec alone would redirect the script's own errors for good.
  { exec 9>&-; } 2>/dev/null
  return $answered
}

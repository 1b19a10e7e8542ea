#!/bin/sh
# Creates .venv and .venv-dbt in the repository with the packages of requirements.txt and
# requirements-dbt.txt. Each is made again only when its file or the interpreter changed; several
# runs at once wait for one another.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
python=${PYTHON:-$(command -v python3.11 || command -v python3.12 || command -v python3)}

# One run at a time, where the machine has flock.
if [ "${TALLY_VENV_LOCKED:-}" != 1 ] && command -v flock >/dev/null; then
  TALLY_VENV_LOCKED=1 exec flock "$root/infra/python/requirements.txt" "$0" "$@"
fi

environment() {
  venv=$root/$1
  requirements=$root/infra/python/$2
  shift 2
  wanted=$("$python" --version; cat "$requirements")
  [ "$(cat "$venv/.stamp" 2>/dev/null || true)" != "$wanted" ] || return 0
  rm -f "$venv/.stamp"
  [ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@" -r "$requirements"
  printf '%s\n' "$wanted" > "$venv/.stamp"
}

environment .venv requirements.txt
# Wheels alone: the source of dbt's parser downloads its binary from elsewhere.
environment .venv-dbt requirements-dbt.txt --only-binary :all:

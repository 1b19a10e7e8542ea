#!/bin/sh
# Creates .venv in the repository with the packages of requirements.txt and nothing that they would
# pull in beside it. Runs again only when that
# file or the interpreter changed; several runs at once wait for one another.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
requirements=$root/infra/python/requirements.txt
venv=$root/.venv
python=${PYTHON:-$(command -v python3.11 || command -v python3.12 || command -v python3)}

# One run at a time, where the machine has flock.
if [ "${TALLY_VENV_LOCKED:-}" != 1 ] && command -v flock >/dev/null; then
  TALLY_VENV_LOCKED=1 exec flock "$root/infra/python/requirements.txt" "$0" "$@"
fi

wanted=$("$python" --version; cat "$requirements")
if [ "$(cat "$venv/.stamp" 2>/dev/null || true)" = "$wanted" ]; then
  exit 0
fi
rm -f "$venv/.stamp"
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$requirements"
printf '%s\n' "$wanted" > "$venv/.stamp"

#!/bin/sh
# Creates .venv-focus with the validator of FOCUS, which needs Python 3.12 or later and older
# packages than the other tests, and prints the environment's folder. Exits with 77 where there is
# no such Python.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
venv=$root/.venv-focus
wanted='focus-validator==2.2.1 pyarrow==21.0.0'

works() { "$1" -c 'import sys; sys.exit(not (3, 12) <= sys.version_info < (3, 14))' 2>/dev/null; }
find_python() {
  for candidate in "${PYTHON:-}" python3.12 python3.13 python3 \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.12*/bin/python "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python; do
    [ -n "$candidate" ] && works "$candidate" && { echo "$candidate"; return; }
  done
  echo 'no Python 3.12 or 3.13' >&2
  exit 77
}

if [ "${FOCUS_VENV_LOCKED:-}" != 1 ] && command -v flock >/dev/null; then
  FOCUS_VENV_LOCKED=1 exec flock "$0" "$0" "$@"
fi
if [ "$(cat "$venv/.stamp" 2>/dev/null || true)" != "$wanted" ]; then
  python=$(find_python)
  rm -rf "$venv"
  "$python" -m venv "$venv"
  # shellcheck disable=SC2086 # two packages
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check $wanted
  printf '%s\n' "$wanted" > "$venv/.stamp"
fi
echo "$venv"

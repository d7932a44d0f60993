#!/usr/bin/env bash
# Makes .venv from the hash-pinned locks. Uses the package index that pip is configured for, so that a company's
# proxy serves everything from the first command; with WHEELHOUSE=dir it uses that folder and no index at all.
set -euo pipefail
cd "$(dirname "$0")/.."

# Compiled bytecode makes every later start three times as fast.
unset PYTHONDONTWRITEBYTECODE
python=${PYTHON:-python3}
venv=.venv

"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || {
  echo "Python 3.11 to 3.13 is needed, $("$python" --version 2>&1) was found; say which with PYTHON=..." >&2
  exit 1
}
[ -x "$venv/bin/python" ] && "$venv/bin/python" -c '' 2>/dev/null || "$python" -m venv --clear "$venv"

# What pip is told, by its environment (listed first, as pip prefers it) or by a file.
pip_says() {
  "$venv/bin/python" -m pip config list 2>/dev/null | sed -n "s/^[a-z:]*\.$1='\(.*\)'$/\1/p" | head -n 1
}

pip_flags=(--disable-pip-version-check --quiet)
uv_flags=()
if [ -n "${WHEELHOUSE:-}" ]; then
  [ -d "$WHEELHOUSE" ] || { echo "WHEELHOUSE=$WHEELHOUSE is not a folder; \`make wheelhouse\` fills one" >&2; exit 1; }
  pip_flags+=(--no-index --find-links "$WHEELHOUSE")
  uv_flags+=(--offline --no-index --find-links "$WHEELHOUSE")
  unset PIP_FIND_LINKS UV_FIND_LINKS
else
  # uv reads neither pip's configuration nor its environment.
  index=$(pip_says index-url)
  extra=$(pip_says extra-index-url)
  certificates=$(pip_says cert)
  host=$(pip_says trusted-host)
  links=$(pip_says find-links)
  [ -z "$index" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"
  [ -z "$extra" ] || export UV_INDEX="${UV_INDEX:-$extra}"
  [ -z "$certificates" ] || export SSL_CERT_FILE="${SSL_CERT_FILE:-$certificates}"
  [ -z "$links" ] || export UV_FIND_LINKS="${UV_FIND_LINKS:-$(echo "$links" | sed 's/\\n/,/g; s/  */,/g; s/^,//')}"
  [ -z "$host" ] || export UV_INSECURE_HOST="${UV_INSECURE_HOST:-$host}"
fi

echo "installing into $venv from the hash-pinned locks${WHEELHOUSE:+ and $WHEELHOUSE}, about half a minute"
"$venv/bin/python" -m pip install "${pip_flags[@]}" --require-hashes -r requirements/uv.txt
uv() { "$venv/bin/uv" --no-config --quiet "$@"; }
export VIRTUAL_ENV="$PWD/$venv" UV_LINK_MODE="${UV_LINK_MODE:-hardlink}"
uv pip sync "${uv_flags[@]}" --compile-bytecode --require-hashes requirements/dev.txt requirements/uv.txt
# The library's wheel names a newer Python than it needs; uv cannot overlook that, pip can.
"$venv/bin/python" -m pip install "${pip_flags[@]}" --no-deps --ignore-requires-python --require-hashes \
  -r requirements/opa.txt
uv pip install "${uv_flags[@]}" --no-deps --no-build-isolation --reinstall-package letopis -e .

#!/usr/bin/env bash
# Resolves pyproject.toml into hash-pinned locks without index addresses; versions already locked are kept
# unless UPGRADE=1.
set -euo pipefail
cd "$(dirname "$0")/.."

export UV_CUSTOM_COMPILE_COMMAND="make lock"
flags=(--generate-hashes --no-emit-index-url --no-header --no-annotate --quiet)
[ -z "${UPGRADE:-}" ] || flags+=(--upgrade)
compile() { .venv/bin/uv pip compile "${flags[@]}" "$@"; }

compile --python-version 3.11 --extra dev pyproject.toml -o requirements/dev.txt
compile --python-version 3.11 --extra local pyproject.toml -c requirements/dev.txt -o requirements/local.txt
pinned() { sed -n 's/^\([a-z-]*==[^ ]*\).*/\1/p' "requirements/$1.txt"; }
printf 'setuptools\nwheel\n' | compile --python-version 3.11 - -o requirements/build.txt
pinned uv | compile --python-version 3.11 --no-deps - -o requirements/uv.txt
# Its wheel names a newer Python than it needs.
pinned opa | compile --python-version 3.14 --no-deps - -o requirements/opa.txt

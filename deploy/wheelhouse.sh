#!/usr/bin/env bash
# Collects every wheel of the locks into a folder, for a machine without any index: `make demo WHEELHOUSE=folder`.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=${1:?usage: deploy/wheelhouse.sh FOLDER}
pip="${PYTHON:-.venv/bin/python} -m pip --disable-pip-version-check download --quiet --dest $folder --require-hashes"
mkdir -p "$folder"
# A few packages are published as source alone: they are built at installation, with what build.txt holds.
$pip --no-deps --prefer-binary -r requirements/uv.txt -r requirements/dev.txt -r requirements/build.txt
$pip --no-deps --ignore-requires-python -r requirements/opa.txt
echo "$(find "$folder" -type f | wc -l) files in $folder; on the other machine: make demo WHEELHOUSE=$folder"

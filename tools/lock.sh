#!/bin/sh
# Write the lock files again from pyproject.toml; needs uv. Hashes make an install the same everywhere.
set -eu
cd "$(dirname "$0")/.."
common="--quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml"
# shellcheck disable=SC2086
uv pip compile $common --extra build --output-file requirements.lock "$@"
# shellcheck disable=SC2086
uv pip compile $common --extra build --extra dev --constraint requirements.lock --output-file requirements-dev.lock "$@"

#!/usr/bin/env bash
# Pins every Python dependency with its hashes; the addresses of registries stay out of the tree.
set -euo pipefail
cd "$(dirname "$0")/../.."

python=${1:-.venv/bin/python}
compile=("$python" -m uv pip compile --quiet --universal --python-version 3.11
    --generate-hashes --no-emit-index-url --no-header --no-annotate)

"${compile[@]}" pyproject.toml --extra embedded --group build --output-file infra/locks/requirements.txt
"${compile[@]}" pyproject.toml --extra embedded --group build --group dev \
    --constraint infra/locks/requirements.txt --output-file infra/locks/dev.txt
"${compile[@]}" --group node --output-file infra/locks/node.txt

#!/usr/bin/env bash
# Write locks/*.txt anew from pyproject.toml: every package by version and hash, no address of any index.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {
    local name="$1"
    shift
    .venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
        --no-config --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
        --output-file "locks/$name.txt" "$@"
    echo "lock: locks/$name.txt" >&2
}

compile dev pyproject.toml --extra sandbox --extra otel --extra s3 --group dev
# The others choose what dev chose, so that all of them fit into one environment.
compile runtime pyproject.toml --extra sandbox --constraint locks/dev.txt
compile image pyproject.toml --extra otel --extra s3 --constraint locks/dev.txt
compile bench pyproject.toml --extra sandbox --extra otel --extra s3 --group dev --group bench --constraint locks/dev.txt
compile build --group pyproject.toml:build --constraint locks/dev.txt
compile audit --group pyproject.toml:audit

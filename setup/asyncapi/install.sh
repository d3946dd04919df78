#!/usr/bin/env bash
# Put the official AsyncAPI parser into .run/asyncapi, by hash, for the test that asks it about our document.
set -euo pipefail
cd "$(dirname "$0")/../.."

into=.run/asyncapi
say() { echo "asyncapi: $*" >&2; }

# shellcheck source=setup/packages.sh
. setup/packages.sh
command -v npm >/dev/null || need asyncapi nodejs npm

say "installing the official AsyncAPI parser"
mkdir -p "$into"
cp setup/asyncapi/package.json setup/asyncapi/package-lock.json setup/asyncapi/validate.mjs "$into/"
npm ci --prefix "$into" --ignore-scripts --no-audit --no-fund --loglevel=error >&2

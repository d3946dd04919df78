#!/usr/bin/env bash
# Put the official AsyncAPI parser into .run/asyncapi, by hash, for the test that asks it about our document.
set -euo pipefail
cd "$(dirname "$0")/../.."

into=.run/asyncapi
say() { echo "asyncapi: $*" >&2; }

if ! command -v npm >/dev/null; then
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        say "installing Debian's nodejs and npm"
        apt-get update -qq >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
            -o Dpkg::Use-Pty=0 nodejs npm >/dev/null
    else
        say "npm is missing. Run this once, then make again:"
        say "    sudo apt-get install nodejs npm"
        exit 1
    fi
fi

say "installing the official AsyncAPI parser"
mkdir -p "$into"
cp setup/asyncapi/package.json setup/asyncapi/package-lock.json setup/asyncapi/validate.mjs "$into/"
[ -w "${HOME:-/nowhere}" ] || export npm_config_cache="$PWD/.run/npm" # whoever runs this has no home
npm ci --prefix "$into" --ignore-scripts --no-audit --no-fund --loglevel=error >&2

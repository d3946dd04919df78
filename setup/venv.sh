#!/usr/bin/env bash
# Make .venv hold what locks/$1.txt names, by hash, and this project itself.
# usage: setup/venv.sh runtime|dev|bench
set -euo pipefail
cd "$(dirname "$0")/.."

lock="locks/${1:?which lock: runtime, dev or bench}.txt"
python="${PYTHON:-python3}"
venv=.venv

say() { echo "venv: $*" >&2; }

create() {
    "$python" -m venv --clear "$venv" >/dev/null 2>&1 && return
    # Debian leaves the venv module out of its python3 package.
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        say "installing Debian's python3-venv"
        apt-get update -qq >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
            -o Dpkg::Use-Pty=0 python3-venv >/dev/null
        "$python" -m venv --clear "$venv" && return
    elif command -v uv >/dev/null; then
        uv venv --quiet --clear --seed --python "$python" "$venv" && return
    fi
    say "$python cannot make a virtual environment. Run this once, then make again:"
    say "    sudo apt-get install python3-venv"
    exit 1
}

# Tell uv, which reads no pip configuration, what pip was told about this machine.
inherit_from_pip() {
    local index certificate
    index="${PIP_INDEX_URL:-$("$venv/bin/pip" config get global.index-url 2>/dev/null || true)}"
    certificate="${PIP_CERT:-$("$venv/bin/pip" config get global.cert 2>/dev/null || true)}"
    [ -z "$index" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"
    [ -z "$certificate" ] || export SSL_CERT_FILE="${SSL_CERT_FILE:-$certificate}"
}

find_uv() {
    command -v uv && return
    "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r locks/build.txt >&2 || true
    [ ! -x "$venv/bin/uv" ] || echo "$venv/bin/uv"
}

install_by_uv() {
    local uv
    uv="$(find_uv)"
    [ -n "$uv" ] || return 1
    export VIRTUAL_ENV="$PWD/$venv" UV_LINK_MODE="${UV_LINK_MODE:-copy}"
    [ -w "${HOME:-/nowhere}" ] || export UV_CACHE_DIR="$PWD/.run/uv" # whoever runs this has no home
    "$uv" pip install --quiet --require-hashes -r locks/build.txt -r "$lock" &&
        "$uv" pip install --quiet --no-deps --no-build-isolation --editable .
}

install_by_pip() {
    say "uv is of no use here; pip takes a little longer"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r locks/build.txt -r "$lock"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
}

[ -x "$venv/bin/pip" ] || create # a failed attempt leaves a python without pip
say "installing $lock"
inherit_from_pip
install_by_uv || install_by_pip

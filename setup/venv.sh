#!/usr/bin/env bash
# Make .venv hold what locks/$1.txt names, by hash, and this project itself.
# usage: setup/venv.sh runtime|dev|bench
set -euo pipefail
cd "$(dirname "$0")/.."

name="${1:?which lock: runtime, dev or bench}"
lock="locks/$name.txt"
python="${PYTHON:-python3}"
venv=.venv

say() { echo "venv: $*" >&2; }

# Say whether a make that held the lock before us did our work too.
up_to_date() {
    local source
    for source in "$lock" pyproject.toml locks/build.txt setup/venv.sh; do
        [ "$venv/.$name" -nt "$source" ] || return 1
    done
}

# An environment holds the lesser ones.
mark() {
    touch "$venv/.runtime"
    [ "$name" = runtime ] || touch "$venv/.dev"
    [ "$name" != bench ] || touch "$venv/.bench"
}

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
    export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}" # a company's certificates are the machine's
    [ -w "${HOME:-/nowhere}" ] || export UV_CACHE_DIR="$PWD/.run/uv" # whoever runs this has no home
    "$uv" pip install "${quiet[@]}" --require-hashes -r locks/build.txt -r "$lock" &&
        "$uv" pip install --quiet --no-deps --no-build-isolation --editable .
}

install_by_pip() {
    say "uv is of no use here; pip takes a little longer"
    "$venv/bin/pip" install "${quiet[@]}" --disable-pip-version-check --require-hashes -r locks/build.txt -r "$lock"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
}

# One at a time: two that install into one folder destroy it.
mkdir -p .run
exec 9>.run/venv.lock
if command -v flock >/dev/null && ! flock --nonblock 9; then
    say "waiting for another make that installs here"
    flock 9
fi
up_to_date && exit

quiet=(--quiet)
[ ! -t 2 ] || quiet=()
[ -x "$venv/bin/pip" ] || create # a failed attempt leaves a python without pip
say "installing the $(grep -c '^[a-z]' "$lock") packages of $lock"
inherit_from_pip
install_by_uv || install_by_pip
mark

# shellcheck shell=bash
# To be sourced. need WHO PACKAGE...: install Debian's packages where we may, or say how and end.
need() {
    local who="$1"
    shift
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        echo "$who: installing Debian's $*" >&2
        apt-get update -qq >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
            -o Dpkg::Use-Pty=0 "$@" >/dev/null
    else
        echo "$who: some programs are missing. Run this once, then make again:" >&2
        echo "$who:     sudo apt-get install $*" >&2
        exit 1
    fi
}

[ -w "${HOME:-/nowhere}" ] || export npm_config_cache="$PWD/.run/npm" # whoever runs this has no home

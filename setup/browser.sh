#!/usr/bin/env bash
# Find Chromium, which the console's tests drive, and install Debian's package where it can be had. Prints its path.
# The headless shell is the same engine without windows: a page in it takes a fifth of the time of a processor.
set -euo pipefail

say() { echo "browser: $*" >&2; }

find_any() {
    command -v chromium-headless-shell || command -v chromium || command -v chromium-browser || command -v google-chrome
}

install() {
    apt-get update -qq -o DPkg::Lock::Timeout=300 >&2 &&
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -o DPkg::Lock::Timeout=300 -y --no-install-recommends \
            --no-remove -o Dpkg::Use-Pty=0 "$1" fonts-dejavu-core >/dev/null
}

command -v chromium-headless-shell && exit
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    say "installing Debian's chromium-headless-shell"
    install chromium-headless-shell || find_any >/dev/null || install chromium || true
fi
find_any && exit
say "there is no Chromium. Install it (Debian: sudo apt-get install chromium-headless-shell), then make again."
exit 1

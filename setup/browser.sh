#!/usr/bin/env bash
# Find Chromium, which the console's tests drive; install Debian's package where there is none. Prints its path.
set -euo pipefail

say() { echo "browser: $*" >&2; }

find_browser() {
    command -v chromium || command -v chromium-browser || command -v google-chrome
}

find_browser && exit
if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    say "there is no Chromium. Install it (Debian: sudo apt-get install chromium), then make again."
    exit 1
fi
say "installing Debian's chromium"
apt-get update -qq -o DPkg::Lock::Timeout=300 >&2
DEBIAN_FRONTEND=noninteractive apt-get install -qq -o DPkg::Lock::Timeout=300 -y --no-install-recommends \
    -o Dpkg::Use-Pty=0 chromium fonts-dejavu-core >/dev/null
find_browser

#!/usr/bin/env bash
# Put the documentation viewers into receiver/viewers: from their makers' own npm packages, by version and hash,
# without the packages that these name and without running anything of them.
# usage: setup/viewers/install.sh [--if-npm]    with --if-npm: do without them where there is no npm
set -euo pipefail
cd "$(dirname "$0")/../.."

into=receiver/viewers
work=.run/viewers
say() { echo "viewers: $*" >&2; }

# shellcheck source=setup/packages.sh
. setup/packages.sh
if ! command -v npm >/dev/null; then
    if [ "${1:-}" = --if-npm ]; then
        say "npm is missing, so /docs shows plain documents; for the viewers: apt-get install npm, make viewers"
        exit 0
    fi
    need viewers nodejs npm
fi

mkdir -p .run
exec 9>.run/viewers.lock
! command -v flock >/dev/null || flock 9
rm -rf "$work"
mkdir -p "$work/files" "$into"

digest='console.log(crypto.createHash("sha512").update(fs.readFileSync(process.argv[1])).digest("base64"))'

# fetch NAME: download what packages.txt pins, refuse anything else, unpack it into $work/NAME
fetch() {
    local name="$1" version pinned found
    read -r _ version pinned < <(grep "^$name " setup/viewers/packages.txt)
    say "fetching $name $version"
    (cd "$work" && npm pack --silent --ignore-scripts "$name@$version" >/dev/null)
    found="sha512-$(node -e "$digest" "$work/$name-$version.tgz")"
    if [ "$found" != "$pinned" ]; then
        say "$name $version is not the package that setup/viewers/packages.txt pins; nothing was installed"
        exit 1
    fi
    mkdir "$work/$name"
    tar -xzf "$work/$name-$version.tgz" -C "$work/$name" --strip-components=1
}

fetch redoc
fetch swagger-ui-dist
cp "$work/redoc/bundles/redoc.standalone.js" "$work/files/redoc.standalone.js"
cp "$work/redoc/LICENSE" "$work/files/redoc.LICENSE.txt"
cp "$work/swagger-ui-dist/swagger-ui-bundle.js" "$work/swagger-ui-dist/swagger-ui.css" "$work/files/"
cp "$work/swagger-ui-dist/LICENSE" "$work/files/swagger-ui.LICENSE.txt"
cp "$work/swagger-ui-dist/NOTICE" "$work/files/swagger-ui.NOTICE.txt"
cp "$work/swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt" "$work/files/"
cp "$work/files/"* "$into/"
rm -rf "$work"
touch "$into/.done"

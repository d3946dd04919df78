#!/usr/bin/env bash
# Write dist/sbom.cdx.json (CycloneDX) for what the image holds, and ask an advisory database about it.
# usage: setup/audit.sh [sbom]    with sbom: only write it
# Exit status: 0 nothing known, 1 advisories, 3 no database could be asked (which says nothing about advisories)
set -euo pipefail
cd "$(dirname "$0")/.."

tools=.run/audit
say() { echo "audit: $*" >&2; }

install() {
    [ "$tools/.done" -nt locks/audit.txt ] && return
    say "installing the $(grep -c '^[a-z]' locks/audit.txt) packages of locks/audit.txt"
    .venv/bin/python -m venv --clear "$tools"
    "$tools/bin/pip" install --quiet --quiet --disable-pip-version-check --require-hashes -r locks/audit.txt
    touch "$tools/.done"
}

sbom() {
    mkdir -p dist
    "$tools/bin/cyclonedx-py" requirements locks/image.txt --pyproject pyproject.toml --output-reproducible \
        --output-format JSON --output-file dist/sbom.cdx.json 2>/dev/null
    .venv/bin/python -m setup.sbom dist/sbom.cdx.json
    say "dist/sbom.cdx.json names what the image holds"
}

ask() {
    local answer=.run/audit/answer.json said=.run/audit/said.txt status=0
    rm -f "$answer"
    "$tools/bin/pip-audit" --requirement locks/image.txt --disable-pip --require-hashes --progress-spinner off \
        --vulnerability-service osv --timeout 10 --format json --output "$answer" "$@" >"$said" 2>&1 || true
    if [ -s "$answer" ]; then
        .venv/bin/python -m setup.sbom --advisories "$answer" || status=$?
    else
        tail -1 "$said" | cut -c1-300 | sed 's/^/audit: /' >&2
        status=3
    fi
    case "$status" in
        1) say "there are advisories: raise the versions in pyproject.toml, then make lock" ;;
        3) say "no advisory database could be asked, so nothing is known: run this where one is in reach" ;;
    esac
    exit "$status"
}

install
sbom
[ "${1:-}" = sbom ] || ask "$@"

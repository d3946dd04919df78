#!/usr/bin/env bash
# Put what the example subscribers in Node and Java need into .run/examples, for the tests that run them.
set -euo pipefail
cd "$(dirname "$0")/../.."

into=.run/examples
say() { echo "examples: $*" >&2; }

# shellcheck source=setup/packages.sh
. setup/packages.sh
missing=()
command -v npm >/dev/null || missing+=(nodejs npm)
command -v javac >/dev/null || missing+=(default-jdk-headless)
[ -e /usr/share/java/amqp-client.jar ] || missing+=(librabbitmq-client-java)
[ -e /usr/share/java/gson.jar ] || missing+=(libgoogle-gson-java)
[ -e /usr/share/java/slf4j-nop.jar ] || missing+=(libslf4j-java)
[ -e /usr/share/java/sqlite-jdbc.jar ] || missing+=(libxerial-sqlite-jdbc-java)
[ ${#missing[@]} -eq 0 ] || need examples "${missing[@]}"

mkdir -p "$into/node" "$into/java"
say "installing the Node subscriber's packages"
cp examples/node/package.json examples/node/package-lock.json "$into/node/"
npm ci --prefix "$into/node" --ignore-scripts --no-audit --no-fund --loglevel=error >&2
say "compiling the Java subscriber"
javac -d "$into/java" -cp "/usr/share/java/amqp-client.jar:/usr/share/java/gson.jar" examples/java/Subscriber.java

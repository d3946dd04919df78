#!/bin/sh
# Fill the passwords into the definitions, and start the broker with them. Passwords are letters and digits only.
set -eu

definitions=/tmp/definitions.json
umask 077
sed -e "s/@PUBLISHER_PASSWORD@/${PUBLISHER_PASSWORD:?}/" \
    -e "s/@RECEIVER_PASSWORD@/${RECEIVER_PASSWORD:?}/" \
    -e "s/@GENERATOR_PASSWORD@/${GENERATOR_PASSWORD:?}/" \
    -e "s/@POLLER_PASSWORD@/${POLLER_PASSWORD:?}/" \
    -e "s/@SUBSCRIBER_PASSWORD@/${SUBSCRIBER_PASSWORD:?}/" \
    /etc/reelbus/definitions.json >"$definitions"
chown rabbitmq "$definitions"
exec docker-entrypoint.sh rabbitmq-server

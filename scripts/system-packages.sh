#!/bin/sh
# Installs the programs that the tests need and the machine lacks. That takes apt and root; where these are
# not, it says what to install.
set -eu

# Debian keeps servers off the path; Postgres even in a folder for each version.
for folder in /usr/sbin /usr/lib/postgresql/*/bin; do
  PATH="$PATH:$folder"
done

missing=

# need COMMAND PACKAGE: the Debian package that has the command.
need() {
  command -v "$1" > /dev/null || missing="$missing $2"
}

need promtool prometheus
need nats-server nats-server
need initdb postgresql
need systemd-analyze systemd

[ -n "$missing" ] || exit 0

if ! command -v apt-get > /dev/null || [ "$(id -u)" -ne 0 ]; then
  echo "signalbox: the tests need what these Debian packages hold; please install:$missing" >&2
  exit 1
fi

echo "Installing$missing (apt-get install) …"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# Unquoted on purpose: one word for each package.
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing > /dev/null

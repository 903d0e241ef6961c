#!/bin/sh
# Finds a PostgreSQL server, or installs Debian's where it may. Ends with 1 where there is none: its tests are skipped.
python=$1
here() { "$python" -c 'import sys; from tests.support.databases import programs; sys.exit(programs() is None)'; }
if here; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null 2>&1; then
  echo "Installing Debian's postgresql for the tests on it ..."
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql; } > /dev/null 2>&1
fi
here

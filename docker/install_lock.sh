#!/bin/sh
# Install what a lock lists, and nothing whose digest it does not list: first what builds the few packages that come as
# source, then all. Run while the images are built: sh install_lock.sh LOCK
set -eu
sed -nE '/^(setuptools|wheel)==/,/[^\]$/p' "$1" > /tmp/builders.lock
for lock in /tmp/builders.lock "$1"; do
  python -m pip install --require-hashes --no-deps --no-build-isolation --requirement "$lock"
done
rm /tmp/builders.lock

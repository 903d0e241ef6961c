#!/bin/sh
# Finds a Chromium for the browser tests, or installs one where it can: apt as root, else playwright's own download. The
# headless shell takes half the processor time of a whole Chromium, which does as well where the shell cannot be had.
# Without one the tests skip loudly, or fail where ATTUNE_REQUIRE_BROWSER=1.
python=$1
there() { command -v "$1" > /dev/null 2>&1; }
for name in "${ATTUNE_CHROMIUM:-}" chromium-headless-shell; do
  if [ -n "$name" ] && there "$name"; then exit 0; fi
done
if [ "$(id -u)" = 0 ] && there apt-get; then
  for package in chromium-headless-shell chromium; do
    if there "$package"; then exit 0; fi
    echo "Installing Debian's $package for the browser tests ..."
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" fonts-dejavu-core; } > /dev/null 2>&1 && exit 0
  done
fi
for name in chromium chromium-browser google-chrome; do
  if there "$name"; then exit 0; fi
done
echo "Asking playwright for its own chromium ..."
"$python" -m playwright install chromium > /dev/null 2>&1 && exit 0
echo "No chromium here and none could be installed: the browser tests will be skipped. Set ATTUNE_CHROMIUM to its path."
exit 0

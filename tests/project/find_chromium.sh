#!/bin/sh
# Finds a Chromium for the browser tests, or installs one where it can: apt as root, else playwright's own download.
# Without one the tests skip loudly, or fail where ATTUNE_REQUIRE_BROWSER=1.
python=$1
for name in "${ATTUNE_CHROMIUM:-}" chromium chromium-browser google-chrome; do
  if [ -n "$name" ] && command -v "$name" > /dev/null 2>&1; then exit 0; fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null 2>&1; then
  echo "Installing Debian's chromium for the browser tests ..."
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } > /dev/null 2>&1 && exit 0
fi
echo "Asking playwright for its own chromium ..."
"$python" -m playwright install chromium > /dev/null 2>&1 && exit 0
echo "No chromium here and none could be installed: the browser tests will be skipped. Set ATTUNE_CHROMIUM to its path."
exit 0

#!/usr/bin/env bash
# Prints the path of a Chromium that can be driven without a display, and installs
# Debian's first where there is none. TOKENSYNC_BROWSER names another one.
set -euo pipefail

fail() {
	echo "hack/browser/install.sh: $*" >&2
	exit 1
}

find_browser() {
	local name
	for name in chromium chromium-browser chromium-headless-shell google-chrome google-chrome-stable chrome; do
		command -v "$name" && return
	done
	return 1
}

if [[ -n ${TOKENSYNC_BROWSER:-} ]]; then
	command -v "$TOKENSYNC_BROWSER" || fail "TOKENSYNC_BROWSER is $TOKENSYNC_BROWSER, which is no program"
	exit
fi
find_browser && exit

by_hand="install Chromium or Chrome by hand, or name one in TOKENSYNC_BROWSER"
[[ $(uname -s) == Linux ]] || fail "there is no Chromium on the PATH: $by_hand"
command -v apt-get >/dev/null || fail "there is no Chromium on the PATH, and no apt-get to install it with: $by_hand"
as_root=()
if ((EUID != 0)); then
	command -v sudo >/dev/null && sudo -n true 2>/dev/null ||
		fail "there is no Chromium on the PATH, and to install it takes root: run \"sudo apt-get install chromium\", or $by_hand"
	as_root=(sudo -n)
fi

source "$(dirname "$0")/../apt.sh"

# Several may come at once; one installs, and the others wait.
exec 9>"${TMPDIR:-/tmp}/tokensync-browser.lock"
flock 9
find_browser && exit

echo "hack/browser/install.sh: installing Debian's chromium for the tests; this happens once" >&2
apt_get update || fail "apt-get update has failed: is the network there? Otherwise $by_hand"
apt_get install -y --no-install-recommends chromium || fail "apt-get could not install chromium: $by_hand"
find_browser || fail "chromium is installed, and yet not on the PATH"

#!/usr/bin/env bash
# Prints the directory that holds promtool and prometheus, and fetches Debian's first
# where there are none on the PATH. They are unpacked into bin/prometheus, not installed:
# the package would start a service on this machine. TOKENSYNC_PROMETHEUS names another
# directory.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
out=$root/bin/prometheus

fail() {
	echo "hack/prometheus/install.sh: $*" >&2
	exit 1
}

holds_both() { [[ -x $1/promtool && -x $1/prometheus ]]; }

find_prometheus() {
	local found
	if found=$(command -v promtool) && found=$(dirname "$found") && holds_both "$found"; then
		echo "$found"
	elif holds_both "$out"; then
		echo "$out"
	else
		return 1
	fi
}

if [[ -n ${TOKENSYNC_PROMETHEUS:-} ]]; then
	holds_both "$TOKENSYNC_PROMETHEUS" ||
		fail "TOKENSYNC_PROMETHEUS is $TOKENSYNC_PROMETHEUS, where promtool and prometheus are not"
	echo "$TOKENSYNC_PROMETHEUS"
	exit
fi
find_prometheus && exit

by_hand="install Prometheus 2.42 or newer by hand, or name its directory in TOKENSYNC_PROMETHEUS"
for tool in apt-get dpkg-deb; do
	command -v "$tool" >/dev/null || fail "there is no Prometheus on the PATH, and no $tool to get it with: $by_hand"
done

# Several may come at once; one fetches, and the others wait.
mkdir -p "$root/bin"
exec 9>"$root/bin/prometheus.lock"
flock 9
find_prometheus && exit

echo "hack/prometheus/install.sh: fetching Debian's prometheus for the tests; this happens once" >&2
fetched=$(mktemp -d)
trap 'rm -rf "$fetched"' EXIT
chmod 755 "$fetched"

source "$root/hack/apt.sh"
((EUID == 0)) || as_root=(sudo -n)
(cd "$fetched" && apt_download prometheus) || fail "apt-get could not fetch prometheus: is the network there? Otherwise $by_hand"
dpkg-deb --fsys-tarfile "$fetched"/prometheus_*.deb |
	tar -x -C "$fetched" --strip-components=3 ./usr/bin/prometheus ./usr/bin/promtool
mkdir -p "$out"
mv "$fetched/promtool" "$fetched/prometheus" "$out"
find_prometheus

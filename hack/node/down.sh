#!/usr/bin/env bash
# Ends the node that up.sh has started, with everything that runs in it, and removes
# what it left. With --keep-logs its state stays, for somebody to read.
set -euo pipefail

source "$(dirname "$0")/paths.sh"

# The kernel ends all processes of the namespace along with the first one.
end() {
	local unshare tries
	unshare=$(process unshare) || return 0
	kill -KILL "$unshare"
	for ((tries = 0; tries < 100; tries++)); do
		process unshare >/dev/null || return 0
		sleep 0.1
	done
	echo "hack/node/down.sh: process $unshare does not end" >&2
	return 1
}

# A cgroup is busy for some milliseconds after its last process has ended.
remove_cgroup() {
	local tries
	for ((tries = 0; tries < 50; tries++)); do
		[[ -d $1 ]] || return 0
		find "$1" -depth -type d -exec rmdir {} \; 2>/dev/null || true
		sleep 0.1
	done
	[[ ! -d $1 ]] || { echo "hack/node/down.sh: the cgroup $1 could not be removed" >&2; return 1; }
}

end
# Nobody else is to be taken for that process later.
rm -f "$state"/*.pid
for cgroup in /sys/fs/cgroup/*/"$node"; do
	remove_cgroup "$cgroup"
done
[[ ${1:-} == --keep-logs ]] || rm -rf "$state"

#!/usr/bin/env bash
# Starts a real Kubernetes node of its own: etcd, control plane, containerd, kubelet and
# kube-proxy in mount, network, process and cgroup namespaces that nobody else is in.
# Nothing of the machine is touched but for one cgroup, and no packet gets in or out.
#
#   hack/node/up.sh [IMAGE.tar...]   start it, with these images, and wait until it is ready
#   hack/node/up.sh --check          only say what the machine lacks for it
#
# hack/node/run.sh runs a command inside, and hack/node/down.sh ends it.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
source "$here/paths.sh"

# The image whose pause program holds the network of each pod.
: "${NODE_SANDBOX_IMAGE:=localhost/tokensync-e2e-app:e2e}"

fail() {
	echo "hack/node/up.sh: $*" >&2
	exit 1
}

# Prints what is missing, a line each.
missing() {
	local command hierarchy
	[[ $(uname -s) == Linux ]] || { echo "Linux: containers are a part of its kernel"; return; }
	((EUID == 0)) || echo "root: a node makes namespaces, mounts and network devices; run it with sudo"
	for command in apt-get dpkg flock ip mount nsenter openssl pgrep setsid unshare; do
		command -v "$command" >/dev/null || echo "the command $command"
	done
	for hierarchy in $hierarchies; do
		[[ -e /sys/fs/cgroup/$hierarchy/cgroup.procs && ! -L /sys/fs/cgroup/$hierarchy ]] ||
			echo "cgroup v1 with a hierarchy for $hierarchy alone: the node does not know cgroup v2 yet"
	done
	grep -qw overlay /proc/filesystems || echo "the file system overlay: \"modprobe overlay\" may load it"
	[[ -e /proc/sys/net/bridge ]] || echo "the module br_netfilter: \"modprobe br_netfilter\" loads it"
	[[ $repository != /run/* && $repository != /var/lib/* && $repository != /var/log/* ]] ||
		echo "a checkout elsewhere: the node has a /run, a /var/lib and a /var/log of its own"
}

check() {
	local lacks
	lacks=$(missing)
	[[ -z $lacks ]] || fail "a node cannot run here. It lacks
$(sed 's/^/  - /' <<<"$lacks")
Take a cluster that you have, such as one of kind or k3s, and name its kubeconfig in E2E_KUBECONFIG."
}

configure() {
	local file
	mkdir -p "$log" "$state/cni" "$state"/{kubelet,containerd}
	for file in "$here"/conf/*; do
		sed "s#@SANDBOX@#$NODE_SANDBOX_IMAGE#; s#@DEBIAN@#$debian#; s#@BIN@#$bin#; s#@PKI@#$pki#; s#@STATE@#$state#; s#@ADDRESS@#$address#; s#@NODE@#$node#" \
			"$file" >"$state/${file##*/}"
	done
	mv "$state/bridge.conflist" "$state/cni/10-bridge.conflist"
	"$here/pki.sh"
}

# The node's own cgroup in each hierarchy, which its cgroup namespace sees as the root.
enter_cgroups() {
	local hierarchy file
	for hierarchy in $hierarchies systemd; do
		[[ -d /sys/fs/cgroup/$hierarchy ]] || continue
		mkdir -p "/sys/fs/cgroup/$hierarchy/$node"
		if [[ $hierarchy == cpuset ]]; then
			for file in cpuset.cpus cpuset.mems; do
				cat "/sys/fs/cgroup/cpuset/$file" >"/sys/fs/cgroup/cpuset/$node/$file"
			done
		fi
		echo $BASHPID >"/sys/fs/cgroup/$hierarchy/$node/cgroup.procs"
	done
}

start() { # with images $@
	(
		enter_cgroups
		exec setsid unshare --mount --net --uts --ipc --cgroup --pid --fork --kill-child --mount-proc --propagation private \
			"$here/init.sh" "$@"
	) >"$log/init.log" 2>&1 9>&- </dev/null &
	echo $! >"$state/unshare.pid"
}

# The first process inside is the one whose namespaces the node lives in.
wait_until_ready() {
	local tries
	for ((tries = 0; tries < 1800; tries++)); do
		if [[ -e $log/ready ]]; then
			pgrep -P "$(<"$state/unshare.pid")" >"$state/init.pid"
			return
		fi
		kill -0 "$(<"$state/unshare.pid")" 2>/dev/null || break
		sleep 0.1
	done
	tail -n 5 "$log"/*.log >&2
	fail "the node did not come up; the whole logs are in $log"
}

# All or nothing, whatever ends this script.
take_down_unless_up() {
	[[ -s $state/init.pid ]] || "$here/down.sh" --keep-logs
}

case ${1:-} in
--check) check && exit 0 ;;
-*) fail "there is no option $1; name images, or --check" ;;
esac
check
[[ -z $(process unshare) ]] || fail "a node is up already; hack/node/down.sh ends it"
# The name of the cgroup is the same for all checkouts, so that none can leave many.
[[ -z $(cat /sys/fs/cgroup/pids/"$node"/cgroup.procs 2>/dev/null) ]] ||
	fail "the node of another checkout is up on this machine; hack/node/down.sh there ends it"
rm -rf "$state"
images=()
for image in "$@"; do
	images+=("$(readlink -e -- "$image")") || fail "there is no image $image"
done
started=$SECONDS
configure
trap take_down_unless_up EXIT
start "${images[@]}"
wait_until_ready
echo ">> node: up in $((SECONDS - started)) s"

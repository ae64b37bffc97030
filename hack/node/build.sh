#!/usr/bin/env bash
# Brings what a node runs besides the control plane of ../controlplane into bin/node:
# Kubernetes' own parts, containerd and CoreDNS from their Go modules, and runc, the CNI
# plugins and nft from Debian, unpacked there and not installed. It happens once: stamp
# files remember the versions.
#
#   hack/node/build.sh
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
source "$here/paths.sh"
mkdir -p "$bin"
out=$bin
source "$here/../controlplane/modules.sh"
source "$here/../apt.sh"

go=$(go env GOVERSION)

# Runs a command unless it has run before with all that its result depends on, $2, as it is
# now. A stamp named $1 remembers.
once() {
	local stamp=$bin/.$1 of=$2
	shift 2
	if [[ ! -f $stamp || $(<"$stamp") != "$of" ]]; then
		"$@"
		echo "$of" >"$stamp"
	fi
}

build_kubernetes() { # version $1
	echo ">> node: Kubernetes $1, some 4 minutes on two cores, only this once"
	build "$here/../controlplane/kubernetes" "$(kubernetes_flags "$1")" \
		k8s.io/kubernetes/cmd/{kube-controller-manager,kube-scheduler,kubelet,kube-proxy}
}

build_containerd() { # version $1
	echo ">> node: containerd $1, some 2 minutes on two cores, only this once"
	GOFLAGS=-tags=no_btrfs,no_devmapper,no_zfs build "$here/runtime" \
		"-X github.com/containerd/containerd/v2/version.Version=$1" \
		github.com/containerd/containerd/v2/cmd/{containerd,containerd-shim-runc-v2,ctr}
}

# What enforces network policies is of the repository's own module.
build_own() { # program $1
	build "$here/$1" "" "github.com/tokensync/tokensync/hack/node/$1"
}

build_programs() {
	local kubernetes containerd
	kubernetes=$(module_version "$here/../controlplane/kubernetes" k8s.io/kubernetes)
	containerd=$(module_version "$here/runtime" github.com/containerd/containerd/v2)
	once kubernetes "$kubernetes, $(cksum <"$here/../controlplane/kubernetes/go.sum"), $go" build_kubernetes "$kubernetes"
	once containerd "$containerd, $(cksum <"$here/runtime/go.sum"), $go" build_containerd "$containerd"
	once coredns "$(cat "$here"/coredns/{go.mod,main.go} | cksum), $go" build_own coredns
	once policy "$(cat "$repository/go.sum" "$here"/policy/*.go | cksum), $go" build_own policy
}

# Unpacked, because installing them would start services on the machine.
unpack_packages() { # packages $@
	echo ">> node: unpacking Debian's runc, CNI plugins and nft into $debian"
	rm -rf "$debian"
	mkdir -p "$debian/packages"
	(cd "$debian/packages" && apt_download "$@")
	local package
	for package in "$debian"/packages/*.deb; do
		dpkg -x "$package" "$debian"
	done
	# Its libraries are those beside it.
	printf '#!/bin/sh\nLD_LIBRARY_PATH=%q exec %q "$@"\n' "$debian/usr/lib/$(uname -m)-linux-gnu" "$debian/usr/sbin/nft" >"$bin/nft"
	chmod +x "$bin/nft"
	ln -sf "$debian/usr/sbin/runc" "$bin/runc"
}

# Two may come at a time.
exec 9>"$bin/.lock"
flock 9
packages=(runc containernetworking-plugins nftables libnftables1 libnftnl11 libjansson4 libmnl0 libedit2 libbsd0 libgmp10 libseccomp2)
once packages "${packages[*]} in $debian" unpack_packages "${packages[@]}"
build_programs

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

fresh() { # stamp file $1, content $2
	[[ -f $1 && $(<"$1") == "$2" ]]
}

build_programs() {
	local kubernetes containerd coredns stamp packages
	kubernetes=$(module_version "$here/../controlplane/kubernetes" k8s.io/kubernetes)
	containerd=$(module_version "$here/runtime" github.com/containerd/containerd/v2)
	coredns=$(module_version "$here/coredns" github.com/coredns/coredns)
	stamp="kubernetes $kubernetes, containerd $containerd, coredns $coredns, $(go env GOVERSION), $(cksum <"$here/coredns/main.go")"
	if fresh "$bin/.stamp" "$stamp"; then
		return
	fi
	echo ">> node: Kubernetes $kubernetes, containerd $containerd and CoreDNS $coredns, some 7 minutes on two cores, only this once"
	packages=(k8s.io/kubernetes/cmd/{kube-controller-manager,kube-scheduler,kubelet,kube-proxy})
	build "$here/../controlplane/kubernetes" "$(kubernetes_flags "$kubernetes")" "${packages[@]}"
	packages=(github.com/containerd/containerd/v2/cmd/{containerd,containerd-shim-runc-v2,ctr})
	GOFLAGS=-tags=no_btrfs,no_devmapper,no_zfs build "$here/runtime" \
		"-X github.com/containerd/containerd/v2/version.Version=$containerd" "${packages[@]}"
	build "$here/coredns" "" github.com/tokensync/tokensync/hack/node/coredns
	echo "$stamp" >"$bin/.stamp"
}

# What enforces network policies is of this repository.
build_policy() {
	local stamp
	stamp="$(cat "$repository/go.sum" "$here"/policy/*.go | cksum), $(go env GOVERSION)"
	if fresh "$bin/.policy" "$stamp"; then
		return
	fi
	build "$here/policy" "" github.com/tokensync/tokensync/hack/node/policy
	echo "$stamp" >"$bin/.policy"
}

# Unpacked, because installing them would start services on the machine.
unpack_packages() {
	local packages="runc containernetworking-plugins nftables libnftables1 libnftnl11 libjansson4 libmnl0 libedit2 libbsd0 libgmp10 libseccomp2"
	if fresh "$debian/.stamp" "$packages"; then
		return
	fi
	echo ">> node: unpacking Debian's runc, CNI plugins and nft into $debian"
	rm -rf "$debian"
	mkdir -p "$debian/packages"
	(
		cd "$debian/packages"
		# A fresh machine has no lists of packages.
		apt-get -qq download $packages 2>/dev/null || { apt-get -qq -o DPkg::Lock::Timeout=300 update && apt-get -qq download $packages; }
	)
	local package
	for package in "$debian"/packages/*.deb; do
		dpkg -x "$package" "$debian"
	done
	# Its libraries are those beside it.
	printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "$debian/usr/lib/$(uname -m)-linux-gnu" "$debian/usr/sbin/nft" >"$bin/nft"
	chmod +x "$bin/nft"
	ln -sf "$debian/usr/sbin/runc" "$bin/runc"
	echo "$packages" >"$debian/.stamp"
}

# Two may come at a time.
exec 9>"$bin/.lock"
flock 9
unpack_packages
build_programs
build_policy

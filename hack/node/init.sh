#!/usr/bin/env bash
# The first process in the namespaces of a node: it sets up mounts and network, starts
# the parts, and stays. up.sh runs it, with the archives of images to import.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
source "$here/paths.sh"
export PATH=$bin:$controlplane:$PATH KUBECONFIG=$state/admin.kubeconfig

set_up_mounts() {
	local directory hierarchy
	mount -t sysfs sysfs /sys
	mount -t tmpfs tmpfs /sys/fs/cgroup
	for hierarchy in $hierarchies; do
		mkdir "/sys/fs/cgroup/$hierarchy"
		mount -t cgroup -o "$hierarchy" cgroup "/sys/fs/cgroup/$hierarchy"
	done
	mkdir /sys/fs/cgroup/systemd
	mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
	for directory in /run /var/lib /var/log; do
		mount -t tmpfs tmpfs "$directory"
	done
	# Layers of images need a file system that overlays can stand on.
	for directory in kubelet containerd; do
		mkdir -p "/var/lib/$directory"
		mount --bind "$state/$directory" "/var/lib/$directory"
	done
	mount --make-rshared /
}

# Settings of the kernel that no namespace has for itself. The kubelet demands these values, and
# reads them here from files that stand in their places; the kernel's own stay as they are.
show_kernel_settings() {
	local setting
	for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
		kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
		mkdir -p "/run/sysctl/${setting%/*}"
		echo "${setting#*=}" >"/run/sysctl/${setting%=*}"
		mount --bind "/run/sysctl/${setting%=*}" "/proc/sys/${setting%=*}"
	done
}

# A bridge without ports carries the node's address, so there is no way out.
set_up_network() {
	hostname "$node"
	ip link set lo up
	ip link add node0 type bridge
	ip address add "$address/24" dev node0
	ip link set node0 up
	ip route add default dev node0
	echo 1 >/proc/sys/net/ipv4/ip_forward
	# Packets from pod to pod pass the rules of kube-proxy and of network policies.
	echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables
}

run() { # program $1 with arguments, in the background
	"$@" >"$log/$1.log" 2>&1 &
}

start_etcd() {
	run etcd --data-dir=/var/lib/etcd --unsafe-no-fsync \
		--listen-client-urls=http://127.0.0.1:2379 --advertise-client-urls=http://127.0.0.1:2379 \
		--listen-peer-urls=http://127.0.0.1:2380
}

start_apiserver() {
	run kube-apiserver --etcd-servers=http://127.0.0.1:2379 --secure-port=6443 --advertise-address="$address" \
		--service-cluster-ip-range=10.96.0.0/24 --allow-privileged=true \
		--authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
		--client-ca-file="$pki/ca.crt" --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" \
		--kubelet-client-certificate="$pki/apiserver-kubelet-client.crt" --kubelet-client-key="$pki/apiserver-kubelet-client.key" \
		--kubelet-certificate-authority="$pki/ca.crt" --kubelet-preferred-address-types=InternalIP \
		--requestheader-client-ca-file="$pki/ca.crt" --requestheader-allowed-names=front-proxy-client \
		--requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
		--requestheader-extra-headers-prefix=X-Remote-Extra- \
		--proxy-client-cert-file="$pki/front-proxy-client.crt" --proxy-client-key-file="$pki/front-proxy-client.key" \
		--service-account-issuer=https://kubernetes.default.svc.cluster.local \
		--service-account-key-file="$pki/service-accounts.pub" --service-account-signing-key-file="$pki/service-accounts.key"
}

# Its client is throttled by default, and would be seconds behind at the start.
start_controllers() {
	local own=$state/kube-controller-manager.kubeconfig
	run kube-controller-manager --kubeconfig="$own" --authentication-kubeconfig="$own" --authorization-kubeconfig="$own" \
		--service-account-private-key-file="$pki/service-accounts.key" --root-ca-file="$pki/ca.crt" \
		--use-service-account-credentials=true --leader-elect=false --kube-api-qps=300 --kube-api-burst=600 \
		--cluster-signing-cert-file="$pki/ca.crt" --cluster-signing-key-file="$pki/ca.key" --bind-address=127.0.0.1
	own=$state/kube-scheduler.kubeconfig
	run kube-scheduler --kubeconfig="$own" --authentication-kubeconfig="$own" --authorization-kubeconfig="$own" \
		--leader-elect=false --bind-address=127.0.0.1
}

import_images() {
	until ctr version >/dev/null 2>&1; do sleep 0.1; done
	local image
	for image in "$@"; do
		ctr --namespace k8s.io images import "$image"
	done
}

# A kubelet that dies is started again, as systemd would do it. kubelet.sh relies on it.
keep_kubelet() {
	while true; do
		kubelet --config="$state/kubelet.yaml" --kubeconfig="$state/kubelet.kubeconfig" --hostname-override="$node" \
			--node-ip="$address" --root-dir=/var/lib/kubelet --v=2 &
		echo $! >"$state/kubelet.pid"
		wait $! || true
		sleep 0.2
	done
}

start_node() {
	keep_kubelet >"$log/kubelet.log" 2>&1 &
	kubectl create clusterrolebinding kube-proxy --clusterrole=system:node-proxier --user=system:kube-proxy
	run kube-proxy --config="$state/kube-proxy.yaml"
	run policy
	run coredns -conf "$state/Corefile"
}

# The service account and the CA that every pod mounts come a little after the node.
wait_for_all() {
	until kubectl wait --for=condition=Ready "node/$node" --timeout=60s; do sleep 0.1; done
	until kubectl -n default get serviceaccount/default configmap/kube-root-ca.crt; do sleep 0.1; done
	until answers "$address" 8181 /ready; do sleep 0.1; done
}

set_up_mounts
show_kernel_settings
set_up_network
start_etcd
run containerd -c "$state/containerd.toml"
start_apiserver
import_images "$@" &
images=$!
until kubectl get --raw /readyz; do sleep 0.1; done
start_controllers
wait $images
start_node
wait_for_all
touch "$log/ready"
# The first process inherits what others leave behind.
while true; do
	wait || true
	sleep 1
done

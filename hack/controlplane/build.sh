#!/usr/bin/env bash
# Builds etcd, kube-apiserver and, where the machine has none new enough, kubectl
# from their Go modules into bin/controlplane. It happens once: a stamp file
# remembers the versions that were built.
#
#   hack/controlplane/build.sh [DIRECTORY]
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../../bin/controlplane}

source "$here/modules.sh"

kubernetes=$(module_version "$here/kubernetes" k8s.io/kubernetes)
etcd=$(module_version "$here/etcd" go.etcd.io/etcd/server/v3)
stamp="kubernetes $kubernetes, etcd $etcd, $(go env GOVERSION)"
if [[ -f $out/.stamp && $(<"$out/.stamp") == "$stamp" ]]; then
	exit 0
fi
mkdir -p "$out"
out=$(cd "$out" && pwd)

# kubectl supports API servers that are one minor version newer than itself.
kubectl_is_new_enough() {
	local have minor=${kubernetes#v1.}
	have=$(kubectl version --client -o json 2>/dev/null | sed -n 's/.*"minor": "\([0-9]*\).*/\1/p' | head -n 1)
	[[ -n $have && $have -ge $((${minor%%.*} - 1)) ]]
}

echo ">> control plane: Kubernetes $kubernetes and etcd $etcd, some 5 minutes on two cores, only this once"
# etcd's main package is called server.
build "$here/etcd" "" go.etcd.io/etcd/server/v3
mv "$out/server" "$out/etcd"
flags=$(kubernetes_flags "$kubernetes")
build "$here/kubernetes" "$flags" k8s.io/kubernetes/cmd/kube-apiserver
if kubectl_is_new_enough; then
	ln -sf "$(command -v kubectl)" "$out/kubectl"
else
	build "$here/kubernetes" "$flags" k8s.io/kubernetes/cmd/kubectl
fi
echo "$stamp" >"$out/.stamp"

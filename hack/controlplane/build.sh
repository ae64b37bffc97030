#!/usr/bin/env bash
# Builds etcd, kube-apiserver and, where the machine has none new enough, kubectl
# from their Go modules into bin/controlplane. It happens once: a stamp file
# remembers the versions that were built.
#
#   hack/controlplane/build.sh [DIRECTORY]
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../../bin/controlplane}

module_version() { # of module $2 in wrapper $1
	(cd "$here/$1" && go list -m -f '{{.Version}}' "$2")
}

kubernetes=$(module_version kubernetes k8s.io/kubernetes)
etcd=$(module_version etcd go.etcd.io/etcd/server/v3)
stamp="kubernetes $kubernetes, etcd $etcd, $(go env GOVERSION)"
if [[ -f $out/.stamp && $(<"$out/.stamp") == "$stamp" ]]; then
	exit 0
fi
mkdir -p "$out"
out=$(cd "$out" && pwd)

minor=${kubernetes#v1.}
minor=${minor%%.*}
flags="-s -w"
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
	flags+=" -X $package.gitVersion=$kubernetes -X $package.gitMajor=1 -X $package.gitMinor=$minor"
	flags+=" -X $package.gitTreeState=clean"
done

build() { # wrapper module $1, package $2, binary $3
	echo ">> building $3 from $2 (once, into $out)"
	local start=$SECONDS
	(cd "$here/$1" && CGO_ENABLED=0 go build -trimpath -ldflags "$flags" -o "$out/$3" "$2")
	echo ">> built $3 in $((SECONDS - start)) s"
}

# kubectl supports API servers that are one minor version newer than itself.
kubectl_is_new_enough() {
	local have
	have=$(kubectl version --client -o json 2>/dev/null | sed -n 's/.*"minor": "\([0-9]*\).*/\1/p' | head -n 1)
	[[ -n $have && $have -ge $((minor - 1)) ]]
}

echo ">> control plane: Kubernetes $kubernetes and etcd $etcd, some 5 minutes on two cores, only this once"
build etcd go.etcd.io/etcd/server/v3 etcd
build kubernetes k8s.io/kubernetes/cmd/kube-apiserver kube-apiserver
if kubectl_is_new_enough; then
	ln -sf "$(command -v kubectl)" "$out/kubectl"
else
	build kubernetes k8s.io/kubernetes/cmd/kubectl kubectl
fi
echo "$stamp" >"$out/.stamp"

#!/usr/bin/env bash
# Runs a command inside of the node that up.sh has started: with its network, its
# processes, its kubeconfig, and kubectl, helm and ctr on the PATH.
#
#   hack/node/run.sh kubectl get pods -A
set -euo pipefail

source "$(dirname "$0")/paths.sh"

((EUID == 0)) || { echo "hack/node/run.sh: it enters namespaces, which takes root; run it with sudo" >&2; exit 1; }
init=$(process init) ||
	{ echo "hack/node/run.sh: no node is up; hack/node/up.sh starts one" >&2; exit 1; }
export KUBECONFIG=$state/admin.kubeconfig PATH=$bin:$controlplane:$repository/bin:$PATH
exec nsenter --target "$init" --mount --net --uts --ipc --cgroup --pid --wd="$PWD" "$@"

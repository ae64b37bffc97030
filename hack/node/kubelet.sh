#!/usr/bin/env bash
# Kills the kubelet of the node that up.sh has started, and waits until another one
# reports. With a duration it begins with that as its syncFrequency: how soon a pod
# finds a changed Secret in its volume.
#
#   hack/node/kubelet.sh restart [1m]
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
source "$here/paths.sh"

[[ ${1:-} == restart ]] || { echo "usage: hack/node/kubelet.sh restart [SYNC_FREQUENCY]" >&2; exit 2; }
# Its number counts inside.
[[ $(hostname) == "$node" ]] || exec "$here/run.sh" "$here/kubelet.sh" "$@"

[[ -z ${2:-} ]] || sed -i "s/^syncFrequency: .*/syncFrequency: $2/" "$state/kubelet.yaml"
before=$(<"$state/kubelet.pid")
kill -KILL "$before" || true # It may have ended by itself.
until [[ -s $state/kubelet.pid && $(<"$state/kubelet.pid") != "$before" ]]; do sleep 0.1; done
until answers 127.0.0.1 10248 /healthz 2>/dev/null; do sleep 0.1; done

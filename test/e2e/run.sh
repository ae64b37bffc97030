#!/usr/bin/env bash
# Runs the end-to-end suite on a node of its own, which it starts and removes, or on
# another cluster. Arguments go to the suite: -ginkgo.focus=Job, say, or -ginkgo.v.
#
#   E2E_KUBECONFIG=FILE  take the cluster of this kubeconfig
#   E2E_IMAGES=PREFIX    where that has the images tokensync-operator, tokensync-sidecar and
#                        tokensync-e2e-app, with the tag e2e; localhost/ when not set
#   E2E_KEEP=1           leave everything up
set -euo pipefail
cd -P "$(dirname "$0")/../.."

images=bin/e2e/images
suite=bin/e2e/e2e.test

build_suite() {
	mkdir -p bin/e2e
	hack/tools/build.sh helm
	go test -c -o "$suite" ./test/e2e
}

run_on_other() {
	local kubeconfig
	kubeconfig=$(readlink -e -- "$E2E_KUBECONFIG") || { echo "test/e2e/run.sh: E2E_KUBECONFIG is $E2E_KUBECONFIG, and there is no such file" >&2; exit 1; }
	cat <<-END
		>> e2e: on the cluster of $E2E_KUBECONFIG. Its nodes must find the images
		>>   ${E2E_IMAGES:-localhost/}{tokensync-operator,tokensync-sidecar,tokensync-e2e-app}:e2e
		>> Build them by "test/e2e/images.sh $images", and bring them there: for kind by
		>>   for image in $images/*.tar; do kind load image-archive "\$image"; done
		>> or push them to a registry of yours, and name that in E2E_IMAGES.
	END
	build_suite
	KUBECONFIG=$kubeconfig E2E_CLUSTER=other "$suite" -ginkgo.timeout=45m "$@"
}

# Of a suite that has failed the logs of kubelet, containerd and the others may tell more.
take_down() {
	if (($? == 0)); then
		hack/node/down.sh
	else
		hack/node/down.sh --keep-logs
		echo ">> e2e: the logs of the node's parts are in bin/node/state/log" >&2
	fi
}

run_on_node() {
	hack/node/up.sh --check
	# One node at a time: it has one name, and one place for its state.
	mkdir -p bin
	exec 9>bin/node.lock
	flock 9
	build_suite
	[[ ${KUBEBUILDER_ASSETS:-$PWD/bin/controlplane} != "$PWD/bin/controlplane" ]] || hack/controlplane/build.sh
	hack/node/build.sh
	test/e2e/images.sh "$images"
	hack/node/up.sh "$images"/*.tar
	[[ -n ${E2E_KEEP:-} ]] || trap take_down EXIT
	E2E_CLUSTER=node hack/node/run.sh "$suite" -ginkgo.timeout=15m "$@"
}

if [[ -n ${E2E_KUBECONFIG:-} ]]; then
	run_on_other "$@"
else
	run_on_node "$@"
fi

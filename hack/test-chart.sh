#!/usr/bin/env bash
# Tests the Helm chart and the kustomize manifests: lint, unit tests, every
# combination of values in charts/tokensync/ci against the schemas of Kubernetes and
# of our CRDs, and at last a real API server (test/chart).
#
# BIN is where the tools are; `make test-chart` builds them.
set -euo pipefail

cd "$(dirname "$0")/.."
export BIN=${BIN:-$PWD/bin}
chart=charts/tokensync
schemas=$BIN/schemas

announce() { echo ">> $*"; }

# Strict, so that a field that the API does not have is an error, and so is a key that
# stands twice. What is of the Prometheus operator is known by as much of its CRDs as we use.
conform() {
	"$BIN/kubeconform" -strict -summary -schema-location "$schemas/{{.ResourceKind}}{{.KindSuffix}}.json"
}

announce "make the schemas"
kubernetes=$(cd hack/controlplane/kubernetes && go mod download k8s.io/kubernetes && go list -m -f '{{.Dir}}' k8s.io/kubernetes)
go run -C hack/tools ./schemas "$schemas" "$kubernetes/api/openapi-spec/swagger.json" \
	"$PWD"/config/crd/bases/*.yaml "$PWD"/test/chart/testdata/{servicemonitors,prometheusrules}.yaml

for values in "$chart"/ci/*-values.yaml; do
	announce "lint, render and validate the chart with $(basename "$values")"
	"$BIN/helm" lint --strict --quiet "$chart" --values "$values"
	"$BIN/helm" template tokensync "$chart" --namespace tokensync-system --values "$values" | conform
done

announce "unit tests of the chart"
"$BIN/helm-unittest" --strict "$chart"

for kustomization in config/*/kustomization.yaml; do
	directory=$(dirname "$kustomization")
	announce "build and validate $directory"
	"$BIN/kustomize" build "$directory" | conform
done

announce "the chart, the manifests and a real API server"
go test -count=1 "$@" ./test/chart/...

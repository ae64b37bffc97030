#!/usr/bin/env bash
# Makes a PrometheusRule for kustomize of the rules in the chart, which are written once,
# as Prometheus reads them.
set -euo pipefail

cd "$(dirname "$0")/../.."
rules=charts/tokensync/alerts/tokensync.yaml
out=config/prometheus/prometheus_rule.yaml

{
	cat <<-END
		# Made by hack/prometheus/rule.sh from $rules. Do not edit.
		apiVersion: monitoring.coreos.com/v1
		kind: PrometheusRule
		metadata:
		  name: tokensync-operator
		  namespace: tokensync-system
		  labels:
		    app.kubernetes.io/name: tokensync
		    app.kubernetes.io/component: operator
		spec:
	END
	sed -n '/^groups:/,$p' "$rules" | sed 's/^./  &/'
} >"$out"

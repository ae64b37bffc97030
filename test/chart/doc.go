// Package chart tests what people install: that a real API server takes the Helm
// chart and the kustomize manifests as they are, that both give the operator the
// same rights, and that the chart's documentation is true.
//
// hack/test-chart.sh runs it, after what needs no API server.
package chart

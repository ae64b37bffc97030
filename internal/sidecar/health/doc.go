// Package health tells how the sidecar does: to the kubelet by /healthz and /readyz, and
// to Prometheus by /metrics.
//
// The sidecar is ready while every sink holds a token that has not expired. So an outage
// of the API server or of the provider alone never makes it unready, only the end of the
// last good token does.
package health

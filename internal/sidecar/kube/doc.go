// Package kube finds the API server, and makes the clients that the sidecar speaks to it
// with: of Secrets and of Leases, and of nothing else. It also writes down the rights that
// somebody has to grant where the API server refuses them.
package kube

// Package injection tests the admission policies of config/injection, which give the
// sidecar to pods that ask for it, on a real API server with the admission plugins of a
// cluster.
package injection

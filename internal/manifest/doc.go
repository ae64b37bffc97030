// Package manifest reads the objects of a file: credentials, their providers, and the
// Secrets and ConfigMaps that both refer to. The plugin and the sidecar share it, to make
// token requests without an API server.
//
//	read.go    from YAML or JSON to objects
//	scheme.go  the kinds that are known
//	lookup.go  finding one of them, in the file or elsewhere
package manifest

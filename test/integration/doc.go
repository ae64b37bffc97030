// Package integration holds what a user of tokensync sees: the operator runs as a
// process beside a real API server, manifests are applied as YAML, and Secrets,
// conditions and events are read as anybody would read them.
//
// Providers are stand-ins on loopback that count what they are asked. Each spec
// has a namespace and a provider of its own. A witness watches all credentials
// during the whole suite and holds every status that was ever written against the
// rules of kstatus.
package integration

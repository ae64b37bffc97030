// Package sidecar holds the specs of the sidecar beside what it works with: a real API
// server, the operator, a provider, and an app that reads the files.
//
//	watch_test.go        the source --secret alone
//	lease_test.go        which of two replicas works
//	share_test.go        --secret-output
//	conformance_test.go  what holds for every source (sources_test.go)
//	operator_test.go     through some lifetimes of a token that the operator keeps
//	proxy_test.go        a token that is refused (service_test.go)
//	outage_test.go       an API server that is away, and a sidecar that is killed
//	settings_test.go     missing rights, wrong settings, and probes
//
// In the last five the sidecar is a process (process_test.go), built with the race
// detector, beside an app (app_test.go, files_test.go).
package sidecar

// Package sidecar is what brings the token to a pod: a Source finds it, Current holds the
// newest one, and sinks deliver that.
//
// Sources, of which a process has one:
//
//	watch/   watches one Secret through the API
//	mount/   reads a Secret volume
//	engine/  asks the provider itself, by the manifest of an OAuthCredential
//
// Sinks, each of which follows Current at its own pace:
//
//	files/     a directory, swapped as a whole
//	share/     a Secret, which replicas share (lease/ tells who refreshes it)
//	endpoint/  GET /token on loopback
//	proxy/     a reverse proxy that adds the token to requests
//	notify/    a signal and an HTTP hook, after files are written
//
// Beside them settings/ reads flags and environment, kube/ speaks to the API server,
// volume/ reads what the kubelet mounts, loopback/ keeps what serves tokens to the pod, and
// health/ tells how it goes.
package sidecar

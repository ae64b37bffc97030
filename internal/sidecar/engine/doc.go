// Package engine is the source that asks the provider itself: it keeps the token of one
// OAuthCredential fresh by its manifest, without the Kubernetes API. What is asked, when,
// and how errors are understood is that of the operator, in small: gather facts, decide,
// act, settle what came of it, and sleep until the next boundary.
//
//	engine.go     what it takes, and who may ask for a refresh
//	manifest.go   from the file to a plan
//	objects.go    Secrets and ConfigMaps, of the file or of directories
//	identity.go   the projected token of the pod's ServiceAccount
//	watch.go      telling that a file has changed
//	loop.go       the loop
//	facts.go      what is known, and what that means to the schedule
//	exchange.go   the token request under way
//	settle.go     what came of it
//	failure.go    what went wrong, in words for who reads the log
//	publish.go    handing the token to a sink that may fail
//	notes.go      telling a trouble once
//
// State is kept in memory, and in the token that is in use already: where that is handed
// over at the start, a restart costs no request. What is spent when it is used, such as a
// refresh token that rotates, would be lost with the memory, so that such credentials are
// refused.
package engine

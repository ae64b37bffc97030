// Package standin holds wire-exact stand-ins for token endpoints that cannot be
// reached from a test: Syncronex (Microsoft Katana), Syncplicity (an Apigee
// gateway), Synqly (JSON, with the token of an organization for a client) and a
// plain RFC 6749 endpoint. They serve the client_credentials grant, the last one
// also any other that [Options] has a judge for.
//
// A [Server] is an http.Handler with three paths:
//
//	POST /oauth/token   the token endpoint of the system that is stood in for,
//	                    and of Synqly /v1/tokens/ACCOUNT/INTEGRATION
//	GET  /api/...       a protected resource: 200 for a live token, else 401
//	     /redirected    a trap: nobody may ever follow a redirect to it
//
// It does three things that the real system does not:
//
//   - It checks every request in detail and keeps what it found: [Server.Counts],
//     [Server.CountsOf], [Server.Requests] and, for what no well-behaved client
//     would ever send, [Server.Violations].
//   - It misbehaves on demand, for everybody, for one client or for the next few
//     requests: [Server.Misbehave] and [Server.Behave].
//   - It tells whether a token is good now: [Server.Check].
//
// Tokens describe themselves, sealed with a key of the server, so that nothing
// is kept for a token that was issued. The log of requests is a ring. A server
// can therefore run for days and issue thousands of tokens per second in the
// memory that it started with. Counters are exact.
package standin

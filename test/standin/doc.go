// Package standin holds wire-exact stand-ins for authorization servers that cannot be
// reached from a test: Syncronex (Microsoft Katana), Syncplicity (an Apigee gateway),
// Synqly (JSON, with the token of an organization for a client) and a plain one by RFC
// 6749. All serve tokens to clients by themselves; Syncplicity and the plain one also
// for a person who consents in a browser, the plain one and Synqly tokens that rotate,
// and the plain one any other grant that [Options] has a judge for.
//
// A [Server] is an http.Handler with these paths:
//
//	POST /oauth/token   the token endpoint of the system that is stood in for,
//	                    and of Synqly /v1/tokens/ACCOUNT/INTEGRATION
//	GET  /api/...       a protected resource: 200 for a live token, else 401
//	     /redirected    a trap: nobody may ever follow a redirect to it
//
// Plain OAuth and Syncplicity also have
//
//	/oauth/authorize   a page with the buttons allow and deny; the form is posted
//	                   back to the same URL with decision=allow or deny
//
// plain OAuth alone
//
//	POST /oauth/device_authorization   the beginning of the device grant
//	/device                            the page where a person enters the code
//	POST /oauth/revoke                 takes tokens back
//	GET  /.well-known/oauth-authorization-server
//
// and Synqly, for organization tokens,
//
//	PUT    /v1/tokens/ID/refresh         with the refresh secret for a bearer
//	PUT    /v1/tokens/OWNER/ID/rotate    likewise /reset
//	DELETE /v1/tokens/ID/secondary       and /v1/tokens/ID
//	GET    /v1/tokens/ID/info            and /v1/tokens, without the secrets
//
// It does these things that the real system does not:
//
//   - It checks every request in detail and keeps what it found: [Server.Counts],
//     [Server.CountsOf], [Server.Requests] and, for what no well-behaved client
//     would ever send, [Server.Violations].
//   - It misbehaves on demand, for everybody, for one client or for the next few
//     requests, before it does what it was asked for or after: [Server.Misbehave] and
//     [Server.Behave].
//   - It tells whether a token is good now: [Server.Check] and [Server.StateOf]. A
//     protected resource tells with each 200 when the token was issued and expires.
//   - It changes its mind: [Server.SetLifetime] and [Server.Withdraw].
//   - It gives tokens and decides without a person: [Server.MintRefreshToken],
//     [Server.MintOrganizationToken], [Server.ApproveDevice], [Server.DenyDevice],
//     [Server.RevokeFamily].
//   - It remembers what became of the tokens that follow from one login:
//     [Server.Family], [Server.FamilyOf] and [Server.Families].
//
// Tokens describe themselves, sealed with a key of the server, so that nothing
// is kept for a token that was issued. The log of requests is a ring. A server
// can therefore run for days and issue thousands of tokens per second in the
// memory that it started with. Only each login and each organization token leaves a
// small record for good. Counters are exact.
package standin

// Command app is each of the parties that the end-to-end suite runs as pods beside
// tokensync: the provider, the consumers of its tokens, and the pause container. It is one
// static binary, needs no file of the system, and runs as any user, on a file system that
// is read-only, without capabilities. Its image starts it as /app with the argument pause,
// so a pod names another party by its args.
//
// Package report has what the parties tell, as Go types. SIGTERM ends each of them with
// exit code 0, and a flag that makes no sense with 2.
//
//	app pause
//
// waits for SIGTERM, and reaps the processes that others leave to it.
//
//	app provider --cert FILE --key FILE [flags]
//
// stands in for an authorization server and for the service behind it, over HTTPS:
//
//	--listen ADDRESS              :8443
//	--cert FILE, --key FILE       certificate and key of the listener, in PEM. Providers
//	                              with the same key take each other's tokens, so one that
//	                              was restarted takes its own.
//	--lifetime DURATION           of the tokens; 20s
//	--client-id ID                the one client that may come with a secret
//	--client-secret-file FILE     its secret; a line break at the end does not count
//	--tenant NAME                 the one that Syncronex knows; any without the flag
//	--subject SUBJECT             whose tokens are good as client assertions, such as
//	                              system:serviceaccount:NAMESPACE:NAME
//	--audience AUDIENCE           which they must be for, and for no other
//	--control ADDRESS             of the control port, in plain HTTP; :8080
//	--api-server URL              that of the pod's environment
//	--service-account DIRECTORY   with token and ca.crt;
//	                              /var/run/secrets/kubernetes.io/serviceaccount
//
// It serves these paths:
//
//	POST /oauth/token         the token endpoint of Syncronex: client_secret_post, the
//	                          tenant for a scope
//	POST /plain/oauth/token   one by RFC 6749: client_secret_basic or client_secret_post;
//	                          with --subject and --audience, private_key_jwt with the token
//	                          of a ServiceAccount for the assertion
//	GET  /api/...             the protected service: 200 for a token of either endpoint that
//	                          is good now, else 401. With a 200 come the headers
//	                          Token-Issued-At and Token-Expires-At, in nanoseconds since 1970.
//
// The token of a ServiceAccount has to pass twice: by the keys that the API server publishes
// for its issuer, and by a TokenReview for the audience. The provider keeps nothing of it; the
// API server remembers for some ten seconds that a token was good. The provider's own
// ServiceAccount must be allowed to create TokenReviews (the ClusterRole
// system:auth-delegator allows it); what any ServiceAccount may do is enough for the keys.
// The client_id is up to the request, and SUBJECT where there is none.
//
// The control port:
//
//	GET  /healthz                        200 once the provider serves
//	GET  /counts                         report.Provider
//	POST /lifetime?d=20s                 of the tokens that are issued from now on
//	POST /withdraw                       no token that was issued until now is good any longer
//	POST /fail?status=503&for=10s        both token endpoints answer so for so long; the
//	                                     service goes on. Another one replaces it, and
//	                                     for=0s ends it.
//
// POST answers 204, or 400 and what is wrong.
//
//	app consumer --url URL (--token-file FILE | --token-endpoint URL | --proxy URL) [flags]
//
// calls the protected service all the time:
//
//	--url URL              what it calls, by GET
//	--ca FILE              who is trusted, in PEM; no one else is
//	--token-file FILE      has the token, and is read anew for each call
//	--token-endpoint URL   answers GET as the sidecar does, and is asked anew for each call:
//	                       http://127.0.0.1:PORT/token, or unix:/path.sock for /token there
//	--proxy URL            adds the token: http://127.0.0.1:PORT, or unix:/path.sock. The
//	                       calls go there, with path and query of --url.
//	--interval DURATION    between the beginnings of two calls; 100ms
//	--poll DURATION        how often file or endpoint are looked at beside the calls, which
//	                       says more exactly when a token came; 2ms. 0s leaves that to the
//	                       calls.
//	--tokens N             ends when calls were accepted with so many different tokens
//	--calls N              ends when so many calls were accepted
//	--report ADDRESS       where GET /report answers report.Consumer, and GET /healthz 200
//	                       once a call was accepted, else 503; :8080
//
// At first there may be no token yet, which is waited for and is no failure: the file is
// missing or empty, the endpoint or the proxy answers 503, or does not listen yet. At the end
// it prints report.Consumer as one line. With --tokens or --calls the exit code is 0 when the
// number is reached, and 1 at the first 401 or at SIGTERM; without them it ends by SIGTERM
// alone, a 401 is counted and the calls go on, and the exit code is 0 all the same.
//
// How long a token took from its issue to the app is the distance of Token.SeenAt from
// Token.IssuedAt, both by the clock of the node if the pods share one. With a proxy the app
// sees no token; SeenAt is then when the first answer came that the token was good for. So
// set --interval=5ms to measure that.
package main

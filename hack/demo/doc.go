// Command demo shows tokensync at work, in about a minute and on nothing but this
// machine: a real API server, the operator, and stand-ins for four providers
// whose tokens live only seconds, two of which rotate refresh tokens. It applies the
// samples of config/samples by kubectl and shows how their tokens are kept fresh, while
// a provider goes down, a Secret is deleted and a wrong client secret is corrected. One
// credential waits for a person to enter a code, whom the demo plays.
//
// A consumer reads every Secret several times a second and asks its provider
// whether the token is good. If one ever was not, or a refresh token was lost, the
// demo exits with 1. Another one knows nothing but a file, which a sidecar keeps: it reads
// that before each call of a service, and a call that is refused counts as much.
//
// Ctrl-C ends it at any time. With DEMO_KEEP=1 it stays until then, and says how
// to reach its API server.
package main

// Package gate decides when a token request may start. Each key, one provider as
// one tenant sees it, has a line of its own, so that a provider that hangs, fails
// or throttles holds up nobody but its own.
//
// Within a line the slots go round over the namespaces, and within a namespace to
// the tokens that expire soonest, then to those who hold none, and last to those
// who have failed before. What may start is bounded by
//
//   - the limits of the provider: requests at a time, requests per period;
//   - what the provider asked for: an answer of "too many requests" holds the client
//     that met it, and the whole line once a second client meets one. It also
//     teaches a rate, which grows again with every request that is accepted;
//   - a breaker: after transient failures only probes go through, one at a time and
//     some seconds apart; after the first success more and more at a time. Where
//     namespaces share a line, this and the hold concern one namespace, until a second
//     one meets the same;
//   - a budget for retries, so that a provider in trouble is not asked ever more.
//
// The last two do not hold up what is urgent, which goes before everything else.
//
// Nobody waits in a gate: what cannot start now is kept, and started when its turn
// has come. Nothing in here knows the time or draws a random number by itself.
package gate

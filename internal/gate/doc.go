// Package gate decides when a token request may start. Each key, one provider as
// one tenant sees it, has a line of its own, so that a provider that hangs or
// fails holds up nobody but its own.
//
// A line lets a bounded number of requests run at a time, tokens that expire
// soonest first. After some transient failures in a row it closes: then one
// request at a time goes through, a probe, and no two within ProbeInterval. The
// first success opens it for all who wait.
//
// Nobody waits in a gate: what cannot start now is kept, and started when its
// turn comes.
package gate

// Package proxy adds the token to requests on their way to one upstream, so that a
// program needs no token at all.
//
// What a client sends chooses neither where a request goes nor who it is from: scheme,
// authority and base path are those of the upstream, and the only authorization is the
// token. Everything else passes as it is, in both directions and without being
// collected first.
//
// An upstream may refuse a token before its time. Then all requests together ask for
// another one, once, and each that can be repeated is repeated once.
package proxy

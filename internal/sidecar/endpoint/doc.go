// Package endpoint serves the token to the pod: GET /token answers it as JSON.
//
// Whoever reaches the address gets the token, so a request has to be made on purpose:
// the header `Tokensync: true` is one that neither a browser's form nor a proxy that is
// talked into fetching a URL sends, and what came through a proxy or from a web page is
// refused.
package endpoint

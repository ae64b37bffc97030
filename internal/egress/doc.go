// Package egress decides which network addresses tokensync may connect to.
//
// Whoever may create a credential chooses the URL that is requested for it, and
// DNS answers of that person's choosing. The decision is therefore made on the
// address that is about to be dialed, after DNS ([Policy.Control]), and not on
// a host name, which may resolve to something else a moment later.
//
// Refused are, unless allowed explicitly: the loopback, link-local, unspecified,
// multicast and reserved addresses, the metadata services of the clouds, and
// the addresses of the installation itself. Private networks are not refused:
// many authorization servers are on one.
//
// An IPv6 address that stands for an IPv4 one (mapped, compatible, translated
// by NAT64, or 6to4) is judged as both. The first of these rules that has
// something to say about an address decides:
//
//	Options.Deny, Options.Allow, Options.Own, the list of this package
//
// The package imports nothing but the standard library.
package egress

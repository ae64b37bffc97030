package egress

import (
	"net/netip"
	"slices"
	"strings"
	"syscall"
)

// Options says what a Policy adds to the list of this package.
type Options struct {
	// Allow names addresses that may be dialed although the list or Own
	// refuses them. Invalid prefixes match nothing.
	Allow []netip.Prefix
	// Deny names addresses that may not be dialed, whatever else is said.
	Deny []netip.Prefix
	// Own has the addresses of the installation: of the API server, of this
	// pod, and of its node.
	Own []netip.Addr
}

// Policy decides whether an address may be dialed. Its zero value knows only
// the list of this package. It never changes and is safe for concurrent use.
type Policy struct {
	allow, deny []netip.Prefix
	own         []netip.Addr
}

// DeniedError says that an address may not be dialed, and why, but not which:
// the answer would let a tenant read the cluster's DNS.
type DeniedError struct {
	// Category is what kind of address it is, with its article, such as
	// "a loopback address".
	Category string
	// Named tells that an administrator has named it, which no permission outweighs.
	Named bool
}

// Error returns a stable text without the address.
func (e *DeniedError) Error() string {
	return "connecting to " + e.Category + " is not allowed"
}

// NewPolicy makes a Policy.
func NewPolicy(options Options) *Policy {
	p := &Policy{}

	for _, prefix := range options.Allow {
		p.allow = append(p.allow, unmapPrefix(prefix))
	}

	for _, prefix := range options.Deny {
		p.deny = append(p.deny, unmapPrefix(prefix))
	}

	for _, addr := range options.Own {
		p.own = append(p.own, addr.Unmap().WithZone(""))
	}

	return p
}

// Check returns a *DeniedError if addr may not be dialed, else nil.
func (p *Policy) Check(addr netip.Addr) error {
	if !addr.IsValid() {
		return &DeniedError{Category: "an address that cannot be read"}
	}

	for _, meaning := range meanings(addr) {
		if denied := p.refusal(meaning); denied != nil {
			return denied
		}
	}

	return nil
}

// Control is for the field of that name of a net.Dialer, which calls it with
// every address that it is about to dial. It returns a *DeniedError for one
// that may not be dialed, and for anything that is not TCP to an IP address.
func (p *Policy) Control(network, address string, _ syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return &DeniedError{Category: "anything but TCP"}
	}

	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return &DeniedError{Category: "an address that cannot be read"}
	}

	return p.Check(target.Addr())
}

// refusal returns why addr, which stands for itself alone, is refused, or nil.
func (p *Policy) refusal(addr netip.Addr) *DeniedError {
	contains := func(prefix netip.Prefix) bool { return prefix.Contains(addr) }

	switch {
	case slices.ContainsFunc(p.deny, contains):
		return &DeniedError{Category: "an address that --egress-deny-cidr names", Named: true}
	case slices.ContainsFunc(p.allow, contains):
		return nil
	case slices.Contains(p.own, addr):
		return &DeniedError{Category: "an address of the API server, of this pod or of its node"}
	}

	if category := builtIn(addr); category != "" {
		return &DeniedError{Category: category}
	}

	return nil
}

// unmapPrefix turns a prefix of IPv4-mapped addresses into one of IPv4, since
// addresses are unmapped before they are compared.
func unmapPrefix(prefix netip.Prefix) netip.Prefix {
	const mappedBits = 96

	if !prefix.Addr().Is4In6() || prefix.Bits() < mappedBits {
		return prefix
	}

	return netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-mappedBits)
}

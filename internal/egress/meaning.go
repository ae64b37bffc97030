package egress

import (
	"bytes"
	"net/netip"
)

// meanings returns the addresses that addr stands for: itself, without zone and
// unmapped, and those that a translator or tunnel on the way would make of it.
func meanings(addr netip.Addr) []netip.Addr {
	addr = addr.Unmap().WithZone("")
	found := []netip.Addr{addr}

	if addr.Is4() {
		return found
	}

	b := addr.As16()

	switch {
	case hasPrefix(b, 0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0):
		// NAT64, RFC 6052 section 2.1: 64:ff9b::/96.
		found = append(found, v4(b[12:]))
	case hasPrefix(b, 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01):
		// NAT64 with a local prefix, RFC 8215: 64:ff9b:1::/48.
		found = append(found, localNAT64(b)...)
	case hasPrefix(b, 0x20, 0x02):
		// 6to4, RFC 3056 section 2: 2002::/16.
		found = append(found, v4(b[2:]))
	case hasPrefix(b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) && !addr.IsUnspecified() && !addr.IsLoopback(),
		hasPrefix(b, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0):
		// IPv4-compatible, RFC 4291 section 2.5.5.1, and IPv4-translated,
		// RFC 2765 section 2.1.
		found = append(found, v4(b[12:]))
	}

	return found
}

// localNAT64 returns the IPv4 addresses that an address of 64:ff9b:1::/48 may
// stand for. The operator of a network divides that prefix as they like, so the
// length of the prefix in use shows only in the zeros that must follow the
// IPv4 address (RFC 6052 section 2.2).
func localNAT64(b [16]byte) []netip.Addr {
	zero := func(from int) bool { return len(bytes.Trim(b[from:], "\x00")) == 0 }

	switch {
	case b[8] != 0: // the octet that no IPv4 address may reach across
		return []netip.Addr{v4(b[12:])}
	case zero(11): // a prefix of 48 bits
		return []netip.Addr{v4([]byte{b[6], b[7], b[9], b[10]})}
	case zero(12): // of 56 bits
		return []netip.Addr{v4([]byte{b[7], b[9], b[10], b[11]})}
	case zero(13): // of 64 bits, or of 96 with an address that ends in zeros
		return []netip.Addr{v4(b[9:]), v4(b[12:])}
	default: // of 96 bits
		return []netip.Addr{v4(b[12:])}
	}
}

// v4 makes an IPv4 address of the first four bytes of b.
func v4(b []byte) netip.Addr {
	return netip.AddrFrom4([4]byte(b[:4]))
}

// hasPrefix tells whether b begins with these bytes.
func hasPrefix(b [16]byte, prefix ...byte) bool {
	return bytes.HasPrefix(b[:], prefix)
}

package egress

import "net/netip"

// builtIn returns what kind of address addr is, if one that is refused unless
// allowed, else nothing.
func builtIn(addr netip.Addr) string {
	switch {
	case isMetadata(addr):
		return "a cloud metadata address"
	case addr.IsUnspecified():
		return "the unspecified address"
	case addr.IsLoopback():
		return "a loopback address"
	case addr.IsLinkLocalUnicast():
		return "a link-local address"
	case addr.IsMulticast():
		return "a multicast address"
	case isReserved(addr):
		return "a reserved address"
	default:
		return ""
	}
}

// isMetadata tells whether a cloud serves its instances their identity there.
func isMetadata(addr netip.Addr) bool {
	switch addr {
	case netip.AddrFrom4([4]byte{169, 254, 169, 254}), // most clouds
		netip.AddrFrom4([4]byte{169, 254, 170, 2}),                                // AWS, containers
		netip.AddrFrom4([4]byte{169, 254, 170, 23}),                               // AWS, pods
		netip.AddrFrom4([4]byte{100, 100, 100, 200}),                              // Alibaba
		netip.AddrFrom4([4]byte{168, 63, 129, 16}),                                // Azure
		netip.AddrFrom4([4]byte{192, 0, 0, 192}),                                  // Oracle
		netip.AddrFrom16([16]byte{0: 0xfd, 1: 0x20, 3: 0xce, 14: 0x02, 15: 0x54}): // Google, fd20:ce::254
		return true
	}

	// AWS: fd00:ec2::/32.
	b := addr.As16()

	return addr.Is6() && b[0] == 0xfd && b[1] == 0x00 && b[2] == 0x0e && b[3] == 0xc2
}

// isReserved tells whether addr lies in 0.0.0.0/8 (RFC 791 section 3.2) or in
// 240.0.0.0/4 (RFC 1112 section 4), which the broadcast address is in.
func isReserved(addr netip.Addr) bool {
	if !addr.Is4() {
		return false
	}

	first := addr.As4()[0]

	return first == 0 || first >= 240
}

package egress_test

import (
	"errors"
	"net"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/tokensync/tokensync/internal/egress"
)

const (
	loopback    = "a loopback address"
	linkLocal   = "a link-local address"
	metadata    = "a cloud metadata address"
	unspecified = "the unspecified address"
	multicast   = "a multicast address"
	reserved    = "a reserved address"
	own         = "an address of the API server, of this pod or of its node"
	denied      = "an address that --egress-deny-cidr names"
	unreadable  = "an address that cannot be read"
)

func TestCheckByTheListAlone(t *testing.T) {
	t.Parallel()

	policy := egress.NewPolicy(egress.Options{})

	for addr, want := range map[string]string{
		"93.184.216.34":             "",
		"2606:2800:220:1::1":        "",
		"10.0.0.1":                  "",
		"172.16.0.1":                "",
		"192.168.1.1":               "",
		"100.64.0.1":                "",
		"fd12:3456::1":              "",
		"1.0.0.0":                   "",
		"223.255.255.255":           "",
		"127.0.0.1":                 loopback,
		"127.255.255.254":           loopback,
		"::1":                       loopback,
		"169.254.0.1":               linkLocal,
		"169.254.169.253":           linkLocal,
		"fe80::1":                   linkLocal,
		"fe80::1%eth0":              linkLocal,
		"febf::1":                   linkLocal,
		"169.254.169.254":           metadata,
		"169.254.170.2":             metadata,
		"fd00:ec2::254":             metadata,
		"fd00:ec2:1::1":             metadata,
		"fd00:ec3::254":             "",
		"fd20:ce::254":              metadata,
		"fd20:ce::253":              "",
		"100.100.100.200":           metadata,
		"168.63.129.16":             metadata,
		"192.0.0.192":               metadata,
		"0.0.0.0":                   unspecified,
		"::":                        unspecified,
		"0.0.0.1":                   reserved,
		"0.255.255.255":             reserved,
		"224.0.0.1":                 multicast,
		"239.255.255.255":           multicast,
		"ff02::1":                   multicast,
		"240.0.0.0":                 reserved,
		"255.255.255.255":           reserved,
		"::ffff:127.0.0.1":          loopback,
		"::ffff:10.0.0.1":           "",
		"::ffff:0.0.0.0":            unspecified,
		"::ffff:169.254.1.1":        linkLocal,
		"::127.0.0.1":               loopback,
		"::2":                       reserved,
		"::ffff:0:127.0.0.1":        loopback,
		"64:ff9b::127.0.0.1":        loopback,
		"64:ff9b::100.64.0.1":       "",
		"64:ff9b::a9fe:a9fe":        metadata,
		"64:ff9b::":                 unspecified,
		"2002:7f00:1::":             loopback,
		"2002:a9fe:a9fe::1":         metadata,
		"2002:5db8:d822::1":         "",
		"2002:e000:1::":             multicast,
		"64:ff9b:1::127.0.0.1":      loopback,
		"64:ff9b:1::5db8:d822":      "",
		"64:ff9b:1:fffe::7f00:1":    loopback,
		"64:ff9b:1:fffe::5db8:d822": "",
		// 127.0.0.1 and 93.184.216.34 behind prefixes of 48, 56 and 64 bits.
		"64:ff9b:1:7f00:0:100::":     loopback,
		"64:ff9b:1:5db8:d8:2200::":   "",
		"64:ff9b:1:17f:0:1::":        loopback,
		"64:ff9b:1:15d:b8:d822::":    "",
		"64:ff9b:1:1:7f:0:100:0":     loopback,
		"64:ff9b:1:1:5d:b8d8:2200:0": "",
		"64:ff9b:1::":                unspecified,
		"64:ff9b:2::7f00:1":          "",
	} {
		if got := category(t, policy.Check(netip.MustParseAddr(addr)), addr); got != want {
			t.Errorf("%s: refused as %q, want %q", addr, got, want)
		}
	}

	if got := category(t, policy.Check(netip.Addr{}), ""); got != unreadable {
		t.Errorf("no address: refused as %q", got)
	}
}

func TestCheckByOptions(t *testing.T) {
	t.Parallel()

	prefixes := func(texts ...string) (found []netip.Prefix) {
		for _, text := range texts {
			found = append(found, netip.MustParsePrefix(text))
		}

		return found
	}

	for name, test := range map[string]struct {
		options egress.Options
		addr    string
		want    string
	}{
		"allow beats the list":                     {egress.Options{Allow: prefixes("127.0.0.0/8")}, "127.0.0.1", ""},
		"allow goes no further than it says":       {egress.Options{Allow: prefixes("127.0.0.0/8")}, "::1", loopback},
		"allow covers the mapped form":             {egress.Options{Allow: prefixes("127.0.0.0/8")}, "::ffff:127.0.0.1", ""},
		"allow covers what is translated":          {egress.Options{Allow: prefixes("127.0.0.0/8")}, "64:ff9b::7f00:1", ""},
		"allowing a translator allows not all":     {egress.Options{Allow: prefixes("64:ff9b::/96")}, "64:ff9b::7f00:1", loopback},
		"an allowed prefix may be mapped":          {egress.Options{Allow: prefixes("::ffff:127.0.0.0/104")}, "127.0.0.1", ""},
		"an allowed prefix need not be masked":     {egress.Options{Allow: []netip.Prefix{netip.PrefixFrom(netip.MustParseAddr("127.9.9.9"), 8)}}, "127.0.0.1", ""},
		"an invalid prefix allows nothing":         {egress.Options{Allow: []netip.Prefix{{}}}, "127.0.0.1", loopback},
		"deny beats allow":                         {egress.Options{Allow: prefixes("10.0.0.0/8"), Deny: prefixes("10.1.0.0/16")}, "10.1.2.3", denied},
		"deny leaves the rest":                     {egress.Options{Deny: prefixes("10.1.0.0/16")}, "10.2.2.3", ""},
		"deny beats the list":                      {egress.Options{Deny: prefixes("127.0.0.0/8")}, "127.0.0.1", denied},
		"deny covers the mapped form":              {egress.Options{Deny: prefixes("10.0.0.0/8")}, "::ffff:10.1.2.3", denied},
		"deny covers what is translated":           {egress.Options{Deny: prefixes("10.0.0.0/8")}, "64:ff9b::a01:203", denied},
		"deny covers 6to4":                         {egress.Options{Deny: prefixes("10.0.0.0/8")}, "2002:a01:203::1", denied},
		"deny of a translator":                     {egress.Options{Deny: prefixes("64:ff9b::/96")}, "64:ff9b::808:808", denied},
		"a zone does not help":                     {egress.Options{Deny: prefixes("2001:db8::/32")}, "2001:db8::1%eth0", denied},
		"an own address":                           {egress.Options{Own: []netip.Addr{netip.MustParseAddr("10.96.0.1")}}, "10.96.0.1", own},
		"an own address in its mapped form":        {egress.Options{Own: []netip.Addr{netip.MustParseAddr("10.96.0.1")}}, "::ffff:10.96.0.1", own},
		"an own address that was given mapped":     {egress.Options{Own: []netip.Addr{netip.MustParseAddr("::ffff:10.96.0.1")}}, "10.96.0.1", own},
		"an own address behind a translator":       {egress.Options{Own: []netip.Addr{netip.MustParseAddr("10.96.0.1")}}, "64:ff9b::a60:1", own},
		"allow beats own":                          {egress.Options{Allow: prefixes("10.96.0.1/32"), Own: []netip.Addr{netip.MustParseAddr("10.96.0.1")}}, "10.96.0.1", ""},
		"the neighbor of an own address":           {egress.Options{Own: []netip.Addr{netip.MustParseAddr("10.96.0.1")}}, "10.96.0.2", ""},
		"an own address with another zone":         {egress.Options{Own: []netip.Addr{netip.MustParseAddr("2001:db8::1%a")}}, "2001:db8::1%b", own},
		"all of IPv4 denied and one range allowed": {egress.Options{Deny: prefixes("0.0.0.0/0"), Allow: prefixes("10.0.0.0/8")}, "10.0.0.1", denied},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			err := egress.NewPolicy(test.options).Check(netip.MustParseAddr(test.addr))
			if got := category(t, err, test.addr); got != test.want {
				t.Errorf("%s: refused as %q, want %q", test.addr, got, test.want)
			}
		})
	}
}

func TestControl(t *testing.T) {
	t.Parallel()

	policy := &egress.Policy{}

	for name, test := range map[string]struct{ network, address, want string }{
		"a public address":      {"tcp4", "93.184.216.34:443", ""},
		"one of IPv6":           {"tcp6", "[2606:2800:220:1::1]:443", ""},
		"a loopback address":    {"tcp4", "127.0.0.1:443", loopback},
		"one of IPv6 in zone":   {"tcp6", "[fe80::1%eth0]:443", linkLocal},
		"a mapped address":      {"tcp6", "[::ffff:127.0.0.1]:443", loopback},
		"a host name":           {"tcp", "example.com:443", unreadable},
		"an address alone":      {"tcp", "93.184.216.34", unreadable},
		"nothing":               {"tcp", "", unreadable},
		"another protocol":      {"udp4", "93.184.216.34:443", "anything but TCP"},
		"a socket in the files": {"unix", "/run/containerd.sock", "anything but TCP"},
	} {
		if got := category(t, policy.Control(test.network, test.address, nil), test.address); got != test.want {
			t.Errorf("%s: refused as %q, want %q", name, got, test.want)
		}
	}
}

// The error has to survive net.Dialer, and the refused address must not be
// connected to.
func TestControlInADialer(t *testing.T) {
	t.Parallel()

	server := httptest.NewServer(nil)
	defer server.Close()

	dialer := &net.Dialer{Control: egress.NewPolicy(egress.Options{}).Control}
	host := strings.Replace(server.Listener.Addr().String(), "127.0.0.1", "localhost", 1)

	conn, err := dialer.DialContext(t.Context(), "tcp4", host)
	if err == nil {
		t.Fatal(conn.Close())
	}

	if got := category(t, err, "\x00"); got != loopback {
		t.Errorf("refused as %q: %v", got, err)
	}
}

// category returns the category of an error, and checks that its text does not
// give the address away.
func category(t *testing.T, err error, addr string) string {
	t.Helper()

	var refused *egress.DeniedError

	switch {
	case err == nil:
		return ""
	case !errors.As(err, &refused):
		t.Errorf("%v is no *DeniedError", err)

		return err.Error()
	case addr != "" && strings.Contains(refused.Error(), addr):
		t.Errorf("%q holds the address %s", refused, addr)
	}

	if want := "connecting to " + refused.Category + " is not allowed"; refused.Error() != want {
		t.Errorf("got %q, want %q", refused.Error(), want)
	}

	return refused.Category
}

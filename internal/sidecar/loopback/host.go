package loopback

import (
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// guard lets only requests in that name a loopback address as their host. A page in a
// browser can have its own name resolve to 127.0.0.1, and then may read what is served
// there (DNS rebinding); the Host that it sends stays that name.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(r.Host) {
			http.Error(w, "This address serves requests to localhost, 127.0.0.1 or [::1] only: "+
				"name one of them in the URL, or in the Host header.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLoopback tells whether a Host header, with or without a port, is localhost, in
// 127.0.0.0/8, or [::1].
func isLoopback(host string) bool {
	name, bracketed := host, strings.HasPrefix(host, "[")
	switch {
	case bracketed && strings.HasSuffix(host, "]"):
		name = host[1 : len(host)-1]
	case strings.Contains(host, ":"):
		var port string
		var err error
		if name, port, err = net.SplitHostPort(host); err != nil || !isPort(port) {
			return false
		}
	}
	if strings.EqualFold(name, "localhost") {
		return !bracketed
	}
	address, err := netip.ParseAddr(name)
	switch {
	case err != nil:
		return false
	case bracketed:
		return address == netip.IPv6Loopback()
	default:
		return address.Is4() && address.IsLoopback()
	}
}

func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}

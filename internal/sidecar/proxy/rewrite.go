package proxy

import (
	"net/http"
	"net/http/httputil"
	"strings"
)

// rewrite turns a request into one to the upstream. The token is added afterwards, when
// no header can take it away any more: what the client's Connection names is gone by now.
func (p *Proxy) rewrite(r *httputil.ProxyRequest) {
	r.SetURL(p.Upstream) // This takes the Host of the client away, too.
	r.Out.URL.User = nil
	// Go would drop what it does not understand, and the upstream may.
	r.Out.URL.RawQuery = r.In.URL.RawQuery
	r.Out.Trailer = nil
	for name := range r.Out.Header {
		if isDropped(name) {
			delete(r.Out.Header, name)
		}
	}
	if r.Out.GetBody != nil {
		// The body has been waited for already.
		r.Out.Header.Del("Expect")
	}
	if wantsHTTP2(r.Out.Header) {
		// Behind such an upgrade requests would go unseen. Nobody has to heed the wish
		// (RFC 9110 section 7.8).
		for _, name := range []string{"Connection", "Upgrade", "Http2-Settings"} {
			r.Out.Header.Del(name)
		}
	}
}

// isDropped tells whether a header is for us or speaks for the client.
func isDropped(name string) bool {
	return name == "Authorization" || name == "Forwarded" || strings.HasPrefix(name, "X-Forwarded") || strings.HasPrefix(name, "Proxy-")
}

// wantsHTTP2 tells whether a request is to be the first of an HTTP/2 connection.
func wantsHTTP2(header http.Header) bool {
	for _, value := range header.Values("Upgrade") {
		for protocol := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(protocol), "h2c") {
				return true
			}
		}
	}
	return false
}

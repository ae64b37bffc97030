package proxy

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/tokensync/tokensync/internal/redact"
)

// checkUpstream refuses what no proxy may lead to: an upstream has a scheme, a host and
// perhaps a path, to which the paths of requests are added. The error shows nothing of it
// that may be secret.
func checkUpstream(upstream *url.URL, insecure bool) error {
	switch {
	case upstream.Opaque != "" || upstream.Hostname() == "" || !hasPort(upstream):
		return errors.New("--proxy-upstream is not the URL of a server: it has to be like https://api.example.com/v1")
	case upstream.User != nil:
		return errors.New("--proxy-upstream holds a user name: take it out, since the token is what authorizes requests")
	case upstream.RawQuery != "" || upstream.ForceQuery || upstream.Fragment != "":
		return fmt.Errorf("--proxy-upstream is %s with a query or a fragment: take it out, since requests bring their own",
			redact.URL(upstream.String()))
	case upstream.Scheme == "http" && !insecure:
		return fmt.Errorf("--proxy-upstream is %s, which would send the token unencrypted: use https, or accept it with "+
			"--proxy-insecure-upstream", redact.URL(upstream.String()))
	case upstream.Scheme != "https" && upstream.Scheme != "http":
		return fmt.Errorf("--proxy-upstream is %s: it has to begin with https://", redact.URL(upstream.String()))
	default:
		return nil
	}
}

// hasPort tells whether there is a port that can be one, or none.
func hasPort(upstream *url.URL) bool {
	text := upstream.Port()
	if text == "" {
		return !strings.HasSuffix(upstream.Host, ":")
	}
	port, err := strconv.ParseUint(text, 10, 16)
	return err == nil && port > 0
}

// leaves tells whether a path leads out of where it is added, as servers may read it.
func leaves(path string) bool {
	depth := 0
	for segment := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '/' || r == '\\' }) {
		// Some take what is behind a semicolon for a parameter of the segment.
		name, _, _ := strings.Cut(segment, ";")
		switch name {
		case ".", "":
		case "..":
			depth--
		default:
			depth++
		}
		if depth < 0 {
			return true
		}
	}
	return false
}

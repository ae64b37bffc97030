package oauth

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/redact"
)

const formType = "application/x-www-form-urlencoded"

// parseEndpoint returns the token endpoint, if it is one that may be used.
func parseEndpoint(raw string, insecure bool) (*url.URL, error) {
	u, err := url.Parse(raw)

	switch {
	// The text of err has the URL in it.
	case err != nil || u.Hostname() == "" || u.Opaque != "" || !isPort(u.Port()):
		return nil, invalidRequest("tokenURL is not an absolute https URL.")
	case u.User != nil:
		return nil, invalidRequest("tokenURL holds a user name or a password. Put them into client and its secretRef.")
	case strings.Contains(raw, "#"):
		return nil, invalidRequest("tokenURL holds a fragment, which RFC 6749 forbids. Remove it.")
	case u.Scheme == "http" && !insecure:
		return nil, &Error{
			Kind: KindEgressDenied, Class: lifetime.Configuration,
			Message: "tokenURL begins with http://, which would send secrets in the clear. Use https://, " +
				"or have an administrator start tokensync with --allow-insecure-http.",
		}
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, invalidRequest("tokenURL is not an https URL.")
	default:
		return u, nil
	}
}

// isPort tells whether port is one, or empty.
func isPort(port string) bool {
	_, err := strconv.ParseUint(port, 10, 16)

	return port == "" || err == nil
}

// build makes the HTTP request.
func (c *Client) build(ctx context.Context, r Request, endpoint *url.URL) (*http.Request, error) {
	header := http.Header{
		"Accept":       {"application/json"},
		"Content-Type": {formType},
		"User-Agent":   {c.userAgent},
	}

	for _, field := range r.Headers {
		if err := checkHeader(field.Name, field.Value.Reveal()); err != nil {
			return nil, err
		}

		header.Set(field.Name, field.Value.Reveal())
	}

	for _, field := range r.Parameters {
		if field.Name == "client_secret" || field.Name == "client_assertion" {
			return nil, invalidRequest(fmt.Sprintf(
				"The parameter %s is not for request.parameters. Set client and clientAuthentication.", field.Name))
		}
	}

	body, err := r.Client.authenticate(header, newForm(r))
	if err != nil {
		return nil, err
	}

	encoded := body.replace(r.Parameters).encode()

	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint.String(), strings.NewReader(encoded))
	if err != nil {
		return nil, invalidRequest("tokenURL cannot be requested.")
	}

	req.Header = header
	// net/http repeats a request by itself where it can get the body again, as
	// when an idle connection turns out to be dead, or when there is an
	// Idempotency-Key. Without GetBody it repeats none that has begun.
	req.GetBody = nil

	return req, nil
}

// checkHeader refuses headers that belong to the connection, and those that
// cannot be sent.
func checkHeader(name, value string) error {
	shown := redact.Message(name)

	switch {
	case !isToken(name):
		return invalidRequest(fmt.Sprintf("The header name %q is not a valid one.", shown))
	case isForbidden(name):
		return invalidRequest(fmt.Sprintf("The header %s may not be set. Remove it from request.headers.", shown))
	case strings.ContainsFunc(value, isControl):
		return invalidRequest(fmt.Sprintf("The value of the header %s holds a line break or another control "+
			"character. Check the end of the value where it is stored.", shown))
	case strings.EqualFold(name, "Content-Type"):
		// A charset may be added, but the body is what it is.
		if media, _, err := mime.ParseMediaType(value); err != nil || media != formType {
			return invalidRequest("The header Content-Type does not fit the body, which is " + formType + ".")
		}
	}

	return nil
}

// isForbidden tells whether a header belongs to the connection or to net/http.
func isForbidden(name string) bool {
	forbidden := []string{
		"connection", "content-length", "expect", "host", "http2-settings", "keep-alive",
		"te", "trailer", "transfer-encoding", "upgrade",
	}
	name = strings.ToLower(name)

	return strings.HasPrefix(name, "proxy-") || slices.Contains(forbidden, name)
}

// isToken tells whether name is a token (RFC 9110 section 5.6.2).
func isToken(name string) bool {
	const special = "!#$%&'*+-.^_`|~"

	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'

		return !letter && !strings.ContainsRune(special, r)
	})
}

// isControl tells whether r is a control character other than a tab. Those of
// the second block, U+0080 to U+009F, count too.
func isControl(r rune) bool {
	return r < ' ' && r != '\t' || r >= 0x7f && r <= 0x9f
}

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

// parseEndpoint returns an endpoint, if it is one that may be used.
func parseEndpoint(of role, raw string, insecure bool) (*url.URL, error) {
	u, err := url.Parse(raw)
	field := of.field()

	switch {
	// The text of err has the URL in it.
	case err != nil || u.Hostname() == "" || u.Opaque != "" || !isPort(u.Port()):
		return nil, invalidRequest(field + " is not an absolute https URL.")
	case u.User != nil:
		return nil, invalidRequest(field + " holds a user name or a password. Put them into client and its secretRef.")
	case strings.Contains(raw, "#"):
		return nil, invalidRequest(field + " holds a fragment, which RFC 6749 forbids. Remove it.")
	case u.Scheme == "http" && !insecure:
		return nil, &Error{
			Kind: KindEgressDenied, Class: lifetime.Configuration,
			Message: field + " begins with http://, which would send secrets in the clear. Use https://, " +
				"or have an administrator start tokensync with --allow-insecure-http.",
		}
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, invalidRequest(field + " is not an https URL.")
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
func (c *Client) build(
	ctx context.Context, of role, r Request, endpoint *url.URL, s *signer,
) (*http.Request, error) {
	if err := r.check(of, endpoint); err != nil {
		return nil, err
	}

	media := r.BodyFormat.mediaType()

	header := http.Header{"Accept": {"application/json"}, "User-Agent": {c.userAgent}}
	if media != "" {
		header.Set("Content-Type", media)
	}

	for _, field := range r.Headers {
		if err := checkHeader(field.Name, field.Value.Reveal(), media); err != nil {
			return nil, err
		}

		header.Set(field.Name, field.Value.Reveal())
	}

	f, err := r.form(header, s)
	if err != nil {
		return nil, err
	}

	target, body, err := r.BodyFormat.write(f, *endpoint)
	if err != nil {
		return nil, err
	}

	method := r.Method
	if method == "" {
		method = http.MethodPost
	}

	req, err := http.NewRequestWithContext(ctx, method, target.String(), strings.NewReader(body))
	if err != nil {
		return nil, invalidRequest(of.field() + " cannot be requested.")
	}

	req.Header = header
	// net/http repeats a request by itself where it can get the body again, as
	// when an idle connection turns out to be dead, or when there is an
	// Idempotency-Key. Without GetBody it repeats none that has begun; for one
	// without a body see needsOwnConnection.
	req.GetBody = nil

	return req, nil
}

// check refuses what contradicts itself or is sent in another way.
func (r Request) check(of role, endpoint *url.URL) error {
	switch r.Method {
	case "", http.MethodPost, http.MethodPut:
	case http.MethodGet:
		if r.BodyFormat != BodyQuery && r.BodyFormat != BodyNone {
			return invalidRequest("The method GET has no body. Set request.bodyFormat to Query or None.")
		}
	default:
		return invalidRequest(fmt.Sprintf("The HTTP method %q is not supported. Use POST, PUT or GET.",
			redact.Message(r.Method)))
	}

	switch r.BodyFormat {
	case "", BodyForm, BodyJSON, BodyQuery, BodyNone:
	default:
		return invalidRequest(fmt.Sprintf("The bodyFormat %q is not known. Use Form, JSON, Query or None.",
			redact.Message(string(r.BodyFormat))))
	}

	if r.Client.isMutualTLS() && endpoint.Scheme != "https" {
		return invalidRequest(fmt.Sprintf("The method %s needs a %s that begins with https://.", r.Client.Method, of.field()))
	}

	return checkParameters(r.Parameters)
}

// checkParameters refuses parameters whose values come from elsewhere.
func checkParameters(fields []Field) error {
	for _, field := range fields {
		switch strings.ToLower(field.Name) {
		case paramClientSecret, paramClientAssertion:
			return invalidRequest(fmt.Sprintf("The parameter %s is not for request.parameters. "+
				"Set client and clientAuthentication.", strings.ToLower(field.Name)))
		case "refresh_token":
			return invalidRequest("The parameter refresh_token is not for request.parameters. " +
				"Set grantType to refresh_token, and refreshToken.")
		}
	}

	return nil
}

// form returns all parameters, and sets in header what the client's
// authentication needs there.
func (r Request) form(header http.Header, s *signer) (form, error) {
	client, err := r.Client.authenticate(header, s)
	if err != nil {
		return nil, err
	}

	if client = client.without(r.OmitParameters); r.BodyFormat == BodyNone {
		// An ID alone proves nothing, so that nothing is lost without it.
		if len(client) > 0 && r.Client.Method != MethodNone {
			return nil, invalidRequest(fmt.Sprintf("The method %s needs the parameter %s, and bodyFormat None sends no "+
				"parameters. Set bodyFormat to Form, or add the parameter to omitParameters.", r.Client.Method, client[0].name))
		}

		return nil, nil
	}

	f, err := newForm(r, s)
	if err != nil {
		return nil, err
	}

	return append(f.without(r.OmitParameters), client...).replace(r.Parameters), nil
}

// needsOwnConnection tells whether a request must not go over a connection that
// was used before: one that net/http might repeat, and one whose grant is spent
// when it arrives, even if the connection then turns out to be dead.
func needsOwnConnection(r Request, req *http.Request) bool {
	return req.Body == http.NoBody || isSpent(r.GrantType)
}

// checkHeader refuses headers that belong to the connection, and those that
// cannot be sent. media is the media type of the body, empty where there is none.
func checkHeader(name, value, media string) error {
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
		return checkContentType(value, media)
	}

	return nil
}

// checkContentType takes a charset and the like, but the body is what it is.
func checkContentType(value, media string) error {
	if media == "" {
		return invalidRequest("The header Content-Type does not fit a request without a body. Remove it from " +
			"request.headers.")
	}

	if parsed, _, err := mime.ParseMediaType(value); err != nil || parsed != media {
		return invalidRequest("The header Content-Type does not fit the body, which is " + media + ".")
	}

	return nil
}

// isForbidden tells whether a header belongs to the connection or to net/http.
func isForbidden(name string) bool {
	forbidden := []string{
		"accept-encoding", "connection", "content-length", "expect", "host", "http2-settings", "keep-alive",
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

package oauth

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/redact"
)

// maxCode is the most characters of an error code that are shown.
const maxCode = 64

// read makes an Answer or an *Error of an HTTP answer.
func (x *exchange) read(resp *http.Response, received time.Time) (*Answer, error) {
	status := resp.StatusCode

	switch {
	case status < http.StatusOK: // 101, the body of which is a connection
		return nil, x.failure(resp, received, nil, "changes the protocol")
	case status >= http.StatusMultipleChoices && status < http.StatusBadRequest:
		return nil, x.redirect(resp)
	}

	success := status < http.StatusMultipleChoices

	f, wrong, err := x.fields(resp)
	if err != nil && success {
		return nil, err
	}

	// Without a body a failure still has its status.
	if success && wrong == "" {
		var answer *Answer

		if answer, wrong = newAnswer(f, resp.Header); wrong == "" {
			return answer, nil
		}
	}

	return nil, x.failure(resp, received, f, wrong)
}

// fields reads the body.
func (x *exchange) fields(resp *http.Response) (fields, problem, error) {
	body, large, err := readBody(resp.Body)

	switch {
	case large:
		return nil, "is larger than 1 MiB", nil
	case err != nil:
		return nil, "", x.bodyError(err, resp.StatusCode)
	}

	f, wrong := parseBody(body)
	if wrong != "" && resp.Header.Get("Content-Encoding") != "" {
		wrong = "is compressed in a way that was not asked for"
	}

	return f, wrong, nil
}

// redirect returns the error for a 3xx. The target may be shown as far as its
// host: the rest may hold what was sent.
func (x *exchange) redirect(resp *http.Response) *Error {
	target := ""

	location := resp.Header.Get("Location")
	if u, err := url.Parse(location); err == nil && location != "" {
		if u = x.endpoint.ResolveReference(u); u.Host != "" {
			target = " to " + x.scrubber(nil).Clean(u.Scheme+"://"+u.Host)
		}
	}

	return &Error{
		Kind: KindInvalidResponse, Class: lifetime.Protocol, Status: resp.StatusCode,
		Message: fmt.Sprintf("%s answered with a redirect%s (HTTP status %d), which is never followed. "+
			"Set tokenURL to the endpoint itself.", x.who(), target, resp.StatusCode),
	}
}

// failure returns the error for an answer that brings no token.
func (x *exchange) failure(resp *http.Response, received time.Time, f fields, wrong problem) *Error {
	scrubber := x.scrubber(f)
	raw := f.text("error")
	e := &Error{
		Status:      resp.StatusCode,
		Code:        shorten(scrubber.Clean(raw)),
		Description: scrubber.Clean(f.text("error_description")),
	}
	wait, asked := retryAfter(resp.Header, received)
	advice, known := x.request.refusal(raw)
	status := resp.StatusCode

	switch {
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable && asked:
		e.Kind, e.Class, e.RetryAfter = KindRateLimited, lifetime.Throttled, wait
		e.Message = fmt.Sprintf("%s limits the number of requests%s tokensync waits and tries again.",
			x.who(), e.report())
	case isUnwell(raw), status == http.StatusRequestTimeout, status >= http.StatusInternalServerError:
		e.Kind, e.Class, e.RetryAfter = KindUnreachable, lifetime.Transient, wait
		e.Message = fmt.Sprintf("%s cannot answer for now%s tokensync tries again.", x.who(), e.report())
	case known:
		e.Kind, e.Class = KindRejected, lifetime.Rejected
		e.Message = strings.TrimSpace(fmt.Sprintf("%s refused the request%s %s", x.who(), e.report(), advice))
	case status >= http.StatusBadRequest:
		e.Kind, e.Class = KindInvalidResponse, lifetime.Protocol
		e.Message = fmt.Sprintf("%s refused the request without a known OAuth error code%s %s",
			x.who(), e.report(), x.request.adviceFor(status))
	default:
		e.Kind, e.Class = KindInvalidResponse, lifetime.Protocol
		e.Message = fmt.Sprintf("The answer of %s %s%s %s",
			x.whoInside(), wrong, e.report(), adviceForSuccess(f))
	}

	return e
}

// report returns what the endpoint said, for the end of a sentence.
func (e *Error) report() string {
	said := fmt.Sprintf(" (HTTP status %d", e.Status)

	if e.Code != "" {
		said += fmt.Sprintf(", error %q", e.Code)
	}

	said += ")"

	if e.Description != "" {
		said += ": " + e.Description
	}

	if last, _ := utf8.DecodeLastRuneInString(said); strings.ContainsRune(".!?…", last) {
		return said
	}

	return said + "."
}

// adviceForSuccess returns what to do about a 2xx that cannot be used.
func adviceForSuccess(f fields) string {
	if f == nil {
		return "Check that spec.provider.tokenURL is the token endpoint."
	}

	return "Check that the endpoint speaks OAuth 2.0 (RFC 6749 section 5.1)."
}

// scrubber returns a scrubber for texts of the answer. It knows the tokens of
// the answer too, which may stand in its description as well.
func (x *exchange) scrubber(f fields) *redact.Scrubber {
	secrets := x.request.Secrets()

	for _, name := range []string{"access_token", "refresh_token", "id_token"} {
		secrets = append(secrets, redact.New(f.text(name)))
	}

	return redact.NewScrubber(secrets...)
}

// shorten cuts an error code.
func shorten(code string) string {
	characters := []rune(code)
	if len(characters) <= maxCode {
		return code
	}

	return string(characters[:maxCode-1]) + "…"
}

// shownGrant returns the grant type, fit to be shown.
func (r Request) shownGrant() string {
	return redact.Message(r.GrantType)
}

// who names the endpoint at the beginning of a sentence.
func (x *exchange) who() string {
	return "T" + strings.TrimPrefix(x.whoInside(), "t")
}

// whoInside names the endpoint inside a sentence.
func (x *exchange) whoInside() string {
	who := "the token endpoint at " + redact.Message(x.endpoint.Host)

	if x.proxied {
		return who + " (behind the proxy of the environment)"
	}

	return who
}

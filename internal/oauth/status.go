package oauth

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/redact"
)

// maxCode is the most characters of an error code that are shown.
const maxCode = 64

// read makes an Answer or an *Error of an HTTP answer.
func (x *exchange) read(resp *http.Response) (*Answer, error) {
	r, wrong, err := x.open(resp)
	if err != nil {
		return nil, err
	}

	answer, e := x.judge(resp, r, wrong)
	if e != nil {
		// A provider that rotates has given up the old one by now.
		e.RefreshToken = r.refreshToken()

		return nil, e
	}

	return answer, nil
}

// open reads the body of a 2xx. Any other answer is an error.
func (x *exchange) open(resp *http.Response) (*reading, problem, error) {
	status := resp.StatusCode

	switch {
	case status < http.StatusOK: // 101, the body of which is a connection
		return nil, "", x.failure(resp, newReading(content{}), "changes the protocol")
	case status >= http.StatusMultipleChoices && status < http.StatusBadRequest:
		return nil, "", x.redirect(resp)
	}

	r, wrong, err := x.interpret(resp)
	if status >= http.StatusMultipleChoices {
		// Without a body a failure still has its status.
		return nil, "", x.failure(resp, r, wrong)
	}

	return r, wrong, err
}

// judge makes an Answer or an *Error of a 2xx.
func (x *exchange) judge(resp *http.Response, r *reading, wrong problem) (*Answer, *Error) {
	var answer *Answer

	if wrong == "" {
		answer, wrong = x.newAnswer(r, resp.Header)
	}

	// What a failure holds is often not what the expressions are made for.
	isClear := r.refused() != "" || wrong != "" && r.text(NameError) != ""

	switch {
	case r.failed != nil && !isClear:
		return nil, x.unreadable(resp, r)
	case wrong != "":
		return nil, x.failure(resp, r, wrong)
	default:
		return answer, nil
	}
}

// unreadable returns the error for a 2xx on which the mapper failed.
func (x *exchange) unreadable(resp *http.Response, r *reading) *Error {
	return &Error{
		Kind: KindInvalidExpression, Class: lifetime.Configuration, Status: resp.StatusCode,
		Message: fmt.Sprintf("The answer of %s (HTTP status %d) cannot be read: %s Correct the provider's response.",
			x.whoInside(), resp.StatusCode, sentence(x.scrubber(r).Clean(r.failed.Error()))),
	}
}

// interpret reads the body. What it returns can be asked even where there is an
// error, and then knows nothing.
func (x *exchange) interpret(resp *http.Response) (*reading, problem, error) {
	var (
		c     content
		wrong problem
	)

	body, large, err := readBody(resp.Body)

	switch {
	case err != nil:
		return newReading(c), "", x.bodyError(err, resp.StatusCode)
	case large:
		wrong = "is larger than 1 MiB"
	case x.request.Response != nil:
		c, wrong = parseAnything(body)
	default:
		c, wrong = parseBody(body)
	}

	if wrong != "" && !large && resp.Header.Get("Content-Encoding") != "" {
		wrong = "is compressed in a way that was not asked for"
	}

	r := newReading(c)
	r.apply(x.request.Response, resp)

	return r, wrong, nil
}

// redirect returns the error for a 3xx. The target may be shown as far as its
// host: the rest may hold what was sent.
func (x *exchange) redirect(resp *http.Response) *Error {
	target := ""

	location := resp.Header.Get("Location")
	if u, err := url.Parse(location); err == nil && location != "" {
		if u = x.endpoint.ResolveReference(u); u.Host != "" {
			target = " to " + x.scrubber(newReading(content{})).Clean(u.Scheme+"://"+u.Host)
		}
	}

	return &Error{
		Kind: KindInvalidResponse, Class: lifetime.Protocol, Status: resp.StatusCode,
		Message: fmt.Sprintf("%s answered with a redirect%s (HTTP status %d), which is never followed. "+
			"Set %s to where it really is.", x.who(), target, resp.StatusCode, x.role.field()),
	}
}

// failure returns the error for an answer that brings nothing of use.
func (x *exchange) failure(resp *http.Response, r *reading, wrong problem) *Error {
	scrubber := x.scrubber(r)
	raw := r.text(NameError)
	status := resp.StatusCode
	e := &Error{
		Status:       status,
		Code:         shorten(scrubber.Clean(raw)),
		Description:  scrubber.Clean(r.text(NameErrorDescription)),
		Undecided:    isUndecided(status),
		GrantRefused: x.refusesGrant(r, raw, status),
	}
	wait, asked := retryAfter(resp.Header, x.received)

	switch {
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable && asked:
		e.Kind, e.Class, e.RetryAfter = KindRateLimited, lifetime.Throttled, wait
		e.Message = fmt.Sprintf("%s limits the number of requests%s%s",
			x.who(), e.report(), x.promise("tokensync waits and tries again."))
	case isUnwell(raw), status == http.StatusRequestTimeout, status >= http.StatusInternalServerError:
		e.Kind, e.Class, e.RetryAfter = KindUnreachable, lifetime.Transient, wait
		e.Message = fmt.Sprintf("%s cannot answer for now%s%s", x.who(), e.report(), x.promise("tokensync tries again."))
	case isPending(raw) && x.polls():
		e.Kind, e.Class, e.RetryAfter = KindPending, lifetime.Authorization, wait
		e.Message = x.who() + " waits for a person to enter the code and to approve."

		if raw == codeSlowDown {
			e.SlowDown = slowDown
		}
	default:
		x.refuse(e, resp, r, wrong)
	}

	return e
}

// promise returns a sentence about the next try, to follow another one; nothing where
// the caller may be the last to ask: a revocation is not tried for ever.
func (x *exchange) promise(next string) string {
	if x.role == roleRevocation {
		return ""
	}

	return " " + next
}

// refuse completes the error for an answer after which nothing gets better by
// itself.
func (x *exchange) refuse(e *Error, resp *http.Response, r *reading, wrong problem) {
	raw := r.text(NameError)
	advice, known := x.request.refusal(raw)

	switch {
	case known:
		if raw == "invalid_client" || raw == "invalid_grant" {
			advice = x.clockHint(resp.Header) + advice
		}

		e.Kind, e.Class = KindRejected, lifetime.Rejected
		if x.polls() && (raw == codeExpired || raw == codeDenied) {
			e.Class = lifetime.Authorization
		}

		e.Message = strings.TrimSpace(fmt.Sprintf("%s refused the request%s %s", x.who(), e.report(), advice))
	case raw != "" && r.mapped(NameError):
		e.Kind, e.Class = KindRejected, lifetime.Rejected
		e.Message = fmt.Sprintf("%s refused the request%s %s", x.who(), e.report(), x.adviceFor(e))
	case e.Status >= http.StatusBadRequest:
		e.Kind, e.Class = KindInvalidResponse, lifetime.Protocol
		e.Message = fmt.Sprintf("%s refused the request without a known OAuth error code%s %s%s",
			x.who(), e.report(), x.adviceFor(e), x.mapperAdvice(r))
	default:
		e.Kind, e.Class = KindInvalidResponse, lifetime.Protocol
		e.Message = fmt.Sprintf("The answer of %s %s%s %s",
			x.whoInside(), wrong, e.report(), x.adviceForSuccess(r))
	}
}

// report returns what the endpoint said, for the end of a sentence.
func (e *Error) report() string {
	var facts []string

	// What a browser brings has no status.
	if e.Status != 0 {
		facts = append(facts, fmt.Sprintf("HTTP status %d", e.Status))
	}

	if e.Code != "" {
		facts = append(facts, fmt.Sprintf("error %q", e.Code))
	}

	said := ""
	if len(facts) > 0 {
		said = " (" + strings.Join(facts, ", ") + ")"
	}

	if e.Description != "" {
		said += ": " + e.Description
	}

	return sentence(said)
}

// sentence ends a text with a full stop, where nothing else ends it.
func sentence(text string) string {
	if last, _ := utf8.DecodeLastRuneInString(text); strings.ContainsRune(".!?…", last) {
		return text
	}

	return text + "."
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
	who := "the " + x.role.name() + " at " + redact.Message(x.endpoint.Host)

	if x.proxied {
		return who + " (behind the proxy of the environment)"
	}

	return who
}

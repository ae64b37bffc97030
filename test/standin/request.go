package standin

import (
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"
)

const formType = "application/x-www-form-urlencoded"

// request is a token request as it was read.
type request struct {
	http *http.Request
	at   time.Time
	// whole says that the body was not too long, wellFormed that it is a form.
	whole, wellFormed bool
	body              string
	form              form
	// clientID and secret are what the client presented, where the system looks
	// for them.
	clientID, secret string
	// vouched says that an assertion stands for the secret, and doubt what is wrong
	// with it.
	vouched bool
	doubt   string
	// undecodable says that they should have been form-encoded and were not.
	undecodable bool
	client      *client
	// spend judges the grant that the request brings, and uses it up where it is
	// good; nil means that there is nothing to use up.
	spend func(now time.Time) (grant, *refusal)
}

// read reads a request.
func (s *Server) read(r *http.Request) *request {
	req := &request{http: r, at: s.options.Clock()}
	buffer := s.buffers.Get().(*[]byte)
	defer s.buffers.Put(buffer)
	if r.Body != nil && r.Body != http.NoBody { // a full buffer is a body that is too long
		*buffer = slices.Grow((*buffer)[:0], maximumBody+1)[:maximumBody+1]
		n, err := io.ReadFull(r.Body, *buffer)
		req.body = string((*buffer)[:min(n, maximumBody)])
		req.whole = errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	} else {
		req.whole = true
	}
	req.wellFormed = req.form.parse(req.body)
	s.dialect.identify(req)
	req.client = s.seen.of(req.clientID)
	return req
}

// inspect notes everything that no well-behaved client sends, and returns the
// first thing that makes the request malformed; empty when nothing does.
func (s *Server) inspect(req *request) (malformed string) {
	note := func(rule Rule, detail string) {
		s.broken.add(rule, detail, req.clientID)
	}
	s.inspectHeaders(req, note)
	s.inspectParameters(req, note)
	if len(req.http.TransferEncoding) > 0 {
		note(Chunked, req.http.TransferEncoding[0])
	}
	if s.dialect.form != nil {
		rule, detail, problem := s.dialect.form(req)
		if problem != "" {
			note(rule, detail)
		}
		return problem
	}
	switch {
	case req.http.Method != http.MethodPost:
		note(WrongMethod, req.http.Method)
		return "the method is " + req.http.Method
	case !isForm(req.http.Header.Get("Content-Type")):
		note(WrongContentType, req.http.Header.Get("Content-Type"))
		return "the content type is not " + formType
	case !req.whole:
		note(MalformedBody, "too long")
		return "the body is too long"
	case !req.wellFormed:
		note(MalformedBody, "not a form")
		return "the body is not a form"
	case req.form.duplicate != "" && req.form.duplicate != "resource" && req.form.duplicate != "audience":
		note(DuplicateParameter, req.form.duplicate)
		return "a parameter occurs twice"
	}
	return ""
}

// inspectHeaders looks for headers that do not belong here.
func (s *Server) inspectHeaders(req *request, note func(Rule, string)) {
	for name, values := range req.http.Header {
		switch {
		case slices.Contains(s.dialect.requestHeaders, name):
		case name == "Referer":
			note(FollowedRedirect, name)
		case name == "Connection" && len(values) == 1 && strings.EqualFold(values[0], "close"):
		default:
			note(UnknownHeader, name)
		}
	}
}

// inspectParameters looks at the URL and at the names in the body.
func (s *Server) inspectParameters(req *request, note func(Rule, string)) {
	if req.http.URL.RawQuery != "" {
		for name := range req.http.URL.Query() {
			if slices.Contains(credentials(), name) {
				note(SecretInURL, name)
			}
		}
		if req.secret != "" && strings.Contains(req.http.URL.RawQuery, url.QueryEscape(req.secret)) {
			note(SecretInURL, "value")
		}
	}
	if req.form.has("client_secret") && req.http.Header.Get("Authorization") != "" {
		note(SecretTwice, "Authorization")
	}
	if s.dialect.parameters == nil {
		return
	}
	more := s.dialect.grantParameters[req.form.get("grant_type")]
	for _, p := range req.form.pairs {
		if !slices.Contains(s.dialect.parameters, p.name) && !slices.Contains(more, p.name) {
			note(UnknownParameter, p.name)
		}
	}
}

// credentials are the parameters that belong in the body of a request and nowhere
// else.
func credentials() []string {
	return []string{
		"client_id", "client_secret", "client_assertion", "refresh_token", "access_token", "password",
		"code", "code_verifier", "device_code", "token",
	}
}

// isForm says whether the content type is that of a form; most clients send it
// bare, so that is looked at first.
func isForm(contentType string) bool {
	if contentType == formType {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && media == formType
}

// basic returns the two halves of a Basic Authorization header as they are.
func basic(header http.Header) (user, password string, ok bool) {
	scheme, encoded, _ := strings.Cut(header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(decoded), ":")
}

// canonical returns the names in the form in which a server finds them.
func canonical(names []string) []string {
	var list []string
	for _, name := range names {
		list = append(list, textproto.CanonicalMIMEHeaderKey(name))
	}
	return list
}

package standin

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// dialect is how one system talks: what it expects, checks and answers.
type dialect struct {
	// lifetime of its tokens when nobody asks for another.
	lifetime time.Duration
	// codeLifetime is that of its authorization codes; zero means the usual one.
	codeLifetime time.Duration
	// strictCodes says that authorization codes demand PKCE and the redirect_uri that
	// they were asked for with.
	strictCodes bool
	// rotates says that it has refresh tokens by Options.Rotation.
	rotates bool
	// requestHeaders that a client may send, in canonical form.
	requestHeaders []string
	// parameters that a client may send; nil means any.
	parameters []string
	// grantParameters are more of them for some grant types.
	grantParameters map[string][]string
	// header of every answer.
	header http.Header
	// throttled is the body of a 429.
	throttled string
	// identify finds the client and its secret in the request.
	identify func(req *request)
	// endpoint says whether a request asks for a token; nil means one to TokenPath.
	endpoint func(r *http.Request) bool
	// beside finds what serves a request that asks for no token; nil means that
	// there is nothing of that kind.
	beside func(r *http.Request) func(s *Server, w http.ResponseWriter, r *http.Request)
	// form says what is wrong with method, content type and body; nil means that
	// they must be those of a form that is posted.
	form func(req *request) (broken Rule, detail, problem string)
	// check says what is wrong with the request; nil means nothing. It does not
	// judge a grant that is spent, but sets what will.
	check func(s *Server, req *request, malformed string) *refusal
	// success and failure append the body of an answer.
	success func(dst []byte, g grant) []byte
	failure func(dst []byte, code, description string) []byte
}

// refusal is an honest answer to a bad request.
type refusal struct {
	status            int
	code, description string
	header            http.Header
	outcome           Outcome
	// problem is what the log says; unlike the answer it is exact.
	problem string
}

// grant is what a success tells.
type grant struct {
	token, clientID, scope string
	issuedAt, expiresAt    time.Time
	seconds                int64
	// expiresIn replaces seconds unless it is nil.
	expiresIn json.RawMessage
	// refreshToken comes with it, and refreshSeconds are what is told of its life;
	// empty and zero where nothing is.
	refreshToken   string
	refreshSeconds int64
	// body replaces the whole answer unless it is nil.
	body []byte
}

// usualHeaders are those that any HTTP client sends.
func usualHeaders(more ...string) []string {
	return append([]string{"Accept", "Accept-Encoding", "Content-Length", "Content-Type", "User-Agent"}, more...)
}

// appendString appends a JSON string. Nearly all that is answered is plain, and
// that needs no encoder.
func appendString(dst []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			encoded, err := json.Marshal(text)
			if err != nil {
				return append(dst, `""`...) // no string fails to encode
			}
			return append(dst, encoded...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, text...)
	return append(dst, '"')
}

// appendNumber appends a number, as a JSON string where quoted.
func appendNumber(dst []byte, number int64, quoted bool) []byte {
	if !quoted {
		return strconv.AppendInt(dst, number, 10)
	}
	dst = append(dst, '"')
	dst = strconv.AppendInt(dst, number, 10)
	return append(dst, '"')
}

// rfcFailure is the error body of RFC 6749.
func rfcFailure(dst []byte, code, description string) []byte {
	dst = append(dst, `{"error":`...)
	dst = appendString(dst, code)
	if description != "" {
		dst = append(dst, `,"error_description":`...)
		dst = appendString(dst, description)
	}
	return append(dst, '}')
}

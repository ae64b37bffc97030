package endpoint

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/tokensync/tokensync/internal/sidecar"
)

// answer is the token, with the names of RFC 6749 section 5.1.
type answer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	// ExpiresAt is in RFC 3339, and ExpiresIn in whole seconds from now, rounded down.
	// Neither is there where the end of the token is not known.
	ExpiresAt string `json:"expires_at,omitempty"`
	ExpiresIn *int64 `json:"expires_in,omitempty"`
}

func newAnswer(set *sidecar.Set, now time.Time) answer {
	a := answer{AccessToken: set.Token.Reveal(), TokenType: set.Type}
	if expiresAt := set.Life.ExpiresAt; !expiresAt.IsZero() {
		seconds := int64(set.Life.Left(now) / time.Second)
		a.ExpiresAt, a.ExpiresIn = expiresAt.UTC().Format(time.RFC3339), &seconds
	}
	return a
}

// failure is why there is no token, with the names of RFC 6749 section 5.2.
type failure struct {
	Code     string `json:"error"`
	Sentence string `json:"error_description"`
}

func refuse(w http.ResponseWriter, status int, code, sentence string) {
	write(w, status, failure{Code: code, Sentence: sentence})
}

// write answers with JSON that nobody may keep: the next token is another.
func write(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "The token cannot be written as JSON.", http.StatusInternalServerError)
		return
	}
	text = append(text, '\n')
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// Whoever went away needs no answer.
	_, _ = w.Write(text)
}

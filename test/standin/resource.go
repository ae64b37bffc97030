package standin

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// What a protected resource tells of a token that it accepts, in nanoseconds since 1970.
const (
	HeaderIssuedAt  = "Token-Issued-At"
	HeaderExpiresAt = "Token-Expires-At"
)

// serveResource is what consumers of a token call.
func (s *Server) serveResource(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		http.Error(w, "use GET", http.StatusMethodNotAllowed)
		return
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	t, ok := s.check(token)
	w.Header().Set("Content-Type", "application/json")
	s.date(w.Header())
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		s.total.outcomes[Denied].Add(1)
		w.Header().Set("Www-Authenticate", `Bearer realm="standin", error="invalid_token"`)
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"error":"invalid_token"}`)) // the client may be gone
		return
	}
	s.total.outcomes[Served].Add(1)
	if known, seen := s.seen.byID.Load(t.clientID); seen {
		known.(*client).tally.outcomes[Served].Add(1)
	}
	w.Header().Set(HeaderIssuedAt, strconv.FormatInt(t.issuedAt.UnixNano(), 10))
	w.Header().Set(HeaderExpiresAt, strconv.FormatInt(t.expiresAt.UnixNano(), 10))
	body := appendString([]byte(`{"client_id":`), t.clientID)
	body = append(body, `,"expires_at":"`...)
	body = t.expiresAt.AppendFormat(body, time.RFC3339Nano)
	_, _ = w.Write(append(body, `"}`...)) // the client may be gone
}

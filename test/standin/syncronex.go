package standin

import (
	"net/http"
	"slices"
	"time"
)

// syncronex talks like the authorization server of Microsoft's Katana, which is
// what Syncronex runs.
func syncronex() dialect {
	return dialect{
		lifetime:       20 * time.Minute,
		requestHeaders: usualHeaders(),
		parameters:     []string{"grant_type", "scope", "client_id", "client_secret"},
		header: http.Header{
			"Content-Type":  {"application/json;charset=UTF-8"},
			"Cache-Control": {"no-cache"},
			"Pragma":        {"no-cache"},
			"Expires":       {"-1"},
		},
		throttled: "Too Many Requests",
		identify: func(req *request) {
			req.clientID, req.secret = req.form.get("client_id"), req.form.get("client_secret")
		},
		check:   checkSyncronex,
		success: syncronexSuccess,
		failure: rfcFailure,
	}
}

// checkSyncronex refuses everything in the same words, as the real one does.
func checkSyncronex(s *Server, req *request, malformed string) *refusal {
	refuse := func(outcome Outcome, problem string) *refusal {
		return &refusal{
			status:      http.StatusBadRequest,
			code:        "invalid_grant",
			description: "Client authentication failed",
			outcome:     outcome,
			problem:     problem,
		}
	}
	scope := req.form.get("scope")
	switch {
	case malformed != "":
		return refuse(Malformed, malformed)
	case req.form.get("grant_type") != "client_credentials":
		return refuse(Malformed, "the grant type is not client_credentials")
	case req.http.Header.Get("Authorization") != "":
		return refuse(Rejected, "there is an Authorization header; the secret belongs in the body")
	case req.clientID == "":
		return refuse(Rejected, "client_id is missing")
	case req.secret == "":
		return refuse(Rejected, "client_secret is missing")
	case !s.accepts(req.clientID, req.secret):
		return refuse(Rejected, "the client or its secret is wrong")
	case scope == "":
		return refuse(Rejected, "scope, the tenant, is missing")
	case len(s.options.Tenants) > 0 && !slices.Contains(s.options.Tenants, scope):
		return refuse(Rejected, "the tenant is unknown")
	}
	return nil
}

// syncronexSuccess has two members whose names begin with a dot, and dates
// without fractions of a second.
func syncronexSuccess(dst []byte, g grant) []byte {
	dst = append(dst, `{"access_token":`...)
	dst = appendString(dst, g.token)
	dst = append(dst, `,"token_type":"bearer"`...)
	if g.expiresIn == nil || len(g.expiresIn) > 0 {
		dst = append(dst, `,"expires_in":`...)
		if g.expiresIn != nil {
			dst = append(dst, g.expiresIn...)
		} else {
			dst = appendNumber(dst, g.seconds, false)
		}
	}
	dst = append(dst, `,".issued":"`...)
	dst = g.issuedAt.UTC().AppendFormat(dst, http.TimeFormat)
	dst = append(dst, `",".expires":"`...)
	dst = g.expiresAt.UTC().AppendFormat(dst, http.TimeFormat)
	return append(dst, `"}`...)
}

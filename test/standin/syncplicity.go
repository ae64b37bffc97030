package standin

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const appTokenHeader = "Sync-App-Token"

// syncplicity talks like an Apigee gateway, which is what Syncplicity runs.
func syncplicity() dialect {
	return dialect{
		lifetime:       85 * time.Minute,
		requestHeaders: usualHeaders("Authorization", appTokenHeader),
		parameters:     []string{"grant_type", "scope"},
		grantParameters: map[string][]string{
			"authorization_code": {"code", "redirect_uri", "code_verifier"},
		},
		codeLifetime: 30 * time.Second,
		header:       http.Header{"Content-Type": {"application/json"}},
		throttled: `{"fault":{"faultstring":"Rate limit quota violation. Quota limit  exceeded. Identifier : _default",` +
			`"detail":{"errorcode":"policies.ratelimit.QuotaViolation"}}}`,
		identify: func(req *request) {
			req.clientID, req.secret, _ = basic(req.http.Header)
		},
		beside: func(r *http.Request) func(*Server, http.ResponseWriter, *http.Request) {
			if r.URL.Path == AuthorizePath {
				return (*Server).serveApigeeConsent
			}
			return nil
		},
		check:   checkSyncplicity,
		success: syncplicitySuccess,
		failure: apigeeFailure,
	}
}

// apigeeInvalid is what Apigee answers to a request that makes no sense to it.
func apigeeInvalid(description, problem string) *refusal {
	return &refusal{http.StatusBadRequest, "invalid_request", description, nil, Malformed, problem}
}

// checkSyncplicity answers 401 for whatever has to do with who asks and 400 for
// the rest.
func checkSyncplicity(s *Server, req *request, malformed string) *refusal {
	reject := func(problem string) *refusal {
		return &refusal{http.StatusUnauthorized, "invalid_client", "ClientId is Invalid", nil, Rejected, problem}
	}
	app, grantType := req.http.Header.Get(appTokenHeader), req.form.get("grant_type")
	_, _, isBasic := basic(req.http.Header)
	switch {
	case malformed != "":
		return apigeeInvalid("Invalid request", malformed)
	case grantType == "":
		return apigeeInvalid("Required param : grant_type", "grant_type is missing")
	case grantType != "client_credentials" && grantType != "authorization_code":
		return apigeeInvalid("Unsupported grant type : "+grantType, "the grant type is not client_credentials")
	case !isBasic:
		return reject("there is no Basic Authorization header")
	case !s.accepts(req.clientID, req.secret):
		if id, secret, ok := unescapePair(req.clientID, req.secret); ok && s.accepts(id, secret) {
			return reject("key and secret are form-encoded; they belong into the header as they are")
		}
		return reject("the key or its secret is wrong")
	case grantType == "authorization_code":
		req.spend = func(now time.Time) (grant, *refusal) { return s.redeem(req, now, req.apigeeCodeRefusal) }
	case app == "":
		return reject(appTokenHeader + " is missing")
	case len(s.options.AppTokens) > 0 && !slices.Contains(s.options.AppTokens, app):
		return reject(appTokenHeader + " is wrong")
	}
	return nil
}

// apigeeCodeRefusal names what is wrong with a code that is not good.
func (r *request) apigeeCodeRefusal(parameter, problem string) *refusal {
	description := "Invalid Authorization Code"
	switch {
	case !r.form.has(parameter):
		description = "Required param : " + parameter
	case parameter == "redirect_uri":
		description = "Invalid redirect_uri : " + r.form.get(parameter)
	}
	return &refusal{http.StatusBadRequest, "invalid_request", description, nil, Rejected, problem}
}

// unescapePair undoes the form encoding of RFC 6749, section 2.3.1.
func unescapePair(id, secret string) (plainID, plainSecret string, ok bool) {
	plainID, idErr := url.QueryUnescape(id)
	plainSecret, secretErr := url.QueryUnescape(secret)
	return plainID, plainSecret, idErr == nil && secretErr == nil
}

// syncplicitySuccess is what Apigee answers when nobody shapes it: every member
// is a string, numbers and instants too, indented the way it does.
func syncplicitySuccess(dst []byte, g grant) []byte {
	var expiresIn []byte
	if g.expiresIn == nil {
		expiresIn = appendNumber(nil, g.seconds, true)
	} else {
		expiresIn = g.expiresIn
	}
	dst = append(dst, "{\n"...)
	dst = append(dst, `  "refresh_token_expires_in" : "0",`+"\n"...)
	dst = append(dst, `  "api_product_list" : "[Syncplicity]",`+"\n"...)
	dst = append(dst, `  "organization_id" : "0",`+"\n"...)
	dst = append(dst, `  "organization_name" : "syncplicity",`+"\n"...)
	dst = append(dst, `  "user_company_id" : "c0ffee00-0000-4000-8000-000000000001",`+"\n"...)
	dst = append(dst, `  "user_id" : "c0ffee00-0000-4000-8000-000000000002",`+"\n"...)
	dst = append(dst, `  "user_email" : "admin@example.com",`+"\n"...)
	dst = append(dst, `  "token_type" : "BearerToken",`+"\n"...)
	dst = appendNumber(append(dst, `  "issued_at" : `...), g.issuedAt.UnixMilli(), true)
	dst = appendString(append(dst, ",\n"+`  "client_id" : `...), g.clientID)
	dst = appendString(append(dst, ",\n"+`  "access_token" : `...), g.token)
	dst = append(dst, ",\n"+`  "application_name" : "c0ffee00-0000-4000-8000-000000000003"`...)
	dst = appendString(append(dst, ",\n"+`  "scope" : `...), g.scope)
	if len(expiresIn) > 0 {
		dst = append(append(dst, ",\n"+`  "expires_in" : `...), expiresIn...)
	}
	return append(dst, ",\n"+`  "refresh_count" : "0",`+"\n"+`  "status" : "approved"`+"\n}"...)
}

// apigeeFailure has its own names and its own spaces.
func apigeeFailure(dst []byte, code, description string) []byte {
	dst = appendString(append(dst, `{"ErrorCode" : `...), code)
	dst = appendString(append(dst, `, "Error" :`...), strings.TrimSpace(description))
	return append(dst, '}')
}

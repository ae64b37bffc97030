package oauth

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"

	"github.com/tokensync/tokensync/internal/redact"
)

// Secrets returns everything in the request that must not be shown: the
// client's secret and token, the parameters of the grant but the types of tokens,
// the values of headers and of parameters that are not public, and what the URL
// holds besides scheme, host and path. Of a request under way it knows the assertions too that were
// signed for it.
func (r Request) Secrets() []redact.String {
	id, secret := r.Client.ID, r.Client.Secret.Reveal()
	// The two halves of a Basic header are known together too, so that all of
	// it goes where the secret alone is too short to be looked for.
	secrets := []redact.String{
		r.Client.Secret,
		redact.New(id + ":" + secret),
		redact.New(url.QueryEscape(id) + ":" + url.QueryEscape(secret)),
	}

	for _, header := range r.Headers {
		secrets = append(secrets, headerSecrets(header.Value)...)
		secrets = append(secrets, tokenSecrets(header.Origin)...)
	}

	for _, signed := range r.signed {
		secrets = append(secrets, tokenSecrets(signed)...)
	}

	for _, field := range slices.Concat(r.Grant, r.Parameters) {
		// The type of a token is public (RFC 8693 section 3), and what an endpoint
		// says of a wrong one is of use only if it can be read.
		if !field.Public && !strings.HasSuffix(field.Name, "_token_type") {
			secrets = append(secrets, tokenSecrets(field.Value)...)
			secrets = append(secrets, tokenSecrets(field.Origin)...)
		}
	}

	secrets = append(secrets, tokenSecrets(r.Client.Token)...)

	return append(secrets, urlSecrets(r.TokenURL)...)
}

// tokenSecrets returns the value and, should it be a JWT, the signature alone:
// without it the rest, which servers like to show in part, is of no use.
func tokenSecrets(value redact.String) []redact.String {
	parts := strings.Split(value.Reveal(), ".")

	const jws = 3 // header, payload and signature (RFC 7515 section 7.1)
	if len(parts) != jws {
		return []redact.String{value}
	}

	return []redact.String{value, redact.New(parts[jws-1])}
}

// headerSecrets returns the value, and what follows a scheme such as Bearer or
// Basic (RFC 9110 section 11.4), decoded where that is possible.
func headerSecrets(value redact.String) []redact.String {
	_, credentials, found := strings.Cut(value.Reveal(), " ")
	if !found {
		return tokenSecrets(value)
	}

	credentials = strings.TrimSpace(credentials)
	secrets := append(tokenSecrets(redact.New(credentials)), value)

	pair, err := base64.StdEncoding.DecodeString(credentials)
	if err != nil {
		return secrets
	}

	_, password, _ := strings.Cut(string(pair), ":")

	return append(secrets, redact.New(string(pair)), redact.New(password))
}

// urlSecrets returns what a URL may hold besides scheme, host and path.
func urlSecrets(raw string) []redact.String {
	u, err := url.Parse(raw)
	if err != nil {
		return nil
	}

	var secrets []redact.String

	if u.User != nil {
		password, _ := u.User.Password()
		secrets = append(secrets, redact.New(u.User.String()), redact.New(password))
	}

	for _, values := range u.Query() {
		for _, value := range values {
			secrets = append(secrets, redact.New(value))
		}
	}

	return append(secrets, redact.New(u.RawQuery), redact.New(u.Fragment))
}

package oauth

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/tokensync/tokensync/internal/redact"
)

// Revoke asks a revocation endpoint to end the life of a token (RFC 7009 section
// 2.1), with exactly one HTTP request. r.TokenURL is the revocation endpoint. hint
// is access_token, refresh_token or a type of the provider's own; where it is
// empty, none is sent. r is as for Token, but all that is sent is a form with the
// token, the hint and the client's authentication, and r.Headers. An audience of
// r.Client should be set: else it is that endpoint.
//
// Every 2xx is a success, whatever comes with it, also for a token that the
// provider does not know. Every error is an *Error, as that of Token is; the token
// may live on then.
func (c *Client) Revoke(ctx context.Context, r Request, token redact.String, hint string) error {
	if token.IsEmpty() {
		return invalidRequest("There is no token to revoke.")
	}

	// What the provider wants of a request for a token says nothing about this one.
	r.Method, r.BodyFormat = http.MethodPost, BodyForm
	r.GrantType, r.Assertion, r.Parameters = "", nil, nil
	r.Scopes, r.Audiences, r.Resources = nil, nil, nil
	r.Grant = []Field{{Name: "token", Value: token}}
	r.Headers = slices.DeleteFunc(slices.Clone(r.Headers), func(header Field) bool {
		return strings.EqualFold(header.Name, "Content-Type")
	})
	r.OmitParameters = slices.DeleteFunc(slices.Clone(r.OmitParameters), func(name string) bool {
		return name == "token" || name == "token_type_hint"
	})

	if hint != "" {
		r.Grant = append(r.Grant, Field{Name: "token_type_hint", Value: redact.New(hint), Public: true})
	}

	x := &exchange{role: roleRevocation, request: r}

	return c.ask(ctx, x, func(resp *http.Response) error {
		if status := resp.StatusCode; status >= http.StatusOK && status < http.StatusMultipleChoices {
			return nil
		}

		_, _, err := x.open(resp)

		return err
	})
}

package oauth_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/oauth"
)

func TestWhenARefreshTokenExpires(t *testing.T) {
	t.Parallel()

	mapped := func(value any) oauth.ResponseMapper {
		return found(map[oauth.Name]any{oauth.NameRefreshToken: "r", oauth.NameRefreshTokenExpiresIn: value})
	}

	for name, test := range map[string]struct {
		body    string
		mapper  oauth.ResponseMapper
		headers []string
		want    time.Duration // 0 where nothing is known
	}{
		"Apigee":       {body: `"refresh_token_expires_in":"86399"`, want: 86399 * time.Second},
		"Keycloak":     {body: `"refresh_expires_in":1800`, want: 30 * time.Minute},
		"Intuit":       {body: `"x_refresh_token_expires_in":8726400`, want: 101 * 24 * time.Hour},
		"the first":    {body: `"refresh_token_expires_in":60,"refresh_expires_in":70`, want: time.Minute},
		"never":        {body: `"refresh_expires_in":0`},
		"never, text":  {body: `"refresh_token_expires_in":"0"`},
		"empty":        {body: `"refresh_token_expires_in":""`},
		"null":         {body: `"refresh_token_expires_in":null`},
		"nothing":      {body: `"x":1`},
		"words":        {body: `"refresh_token_expires_in":"soon"`},
		"an instant":   {body: `"refresh_token_expires_in":"2026-03-02T12:00:00Z"`, want: 24 * time.Hour},
		"their clock":  {body: `"refresh_token_expires_in":"2026-03-02T13:00:00Z"`, headers: []string{"Date: Sun, 01 Mar 2026 13:00:00 GMT"}, want: 24 * time.Hour},
		"mapped":       {body: `"refresh_token_expires_in":"5"`, mapper: mapped(json.Number("600")), want: 10 * time.Minute},
		"mapped text":  {body: `"x":1`, mapper: mapped("2026-03-01T12:10:00Z"), want: 10 * time.Minute},
		"mapped int64": {body: `"x":1`, mapper: mapped(int64(600)), want: 10 * time.Minute},
		"mapped zero":  {body: `"x":1`, mapper: mapped(int64(0))},
		"mapped away":  {body: `"refresh_token_expires_in":"5"`, mapper: mapped(nil)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, _ := serve(t, reply(http.StatusOK, `{"access_token":"t","refresh_token":"r",`+test.body+`}`, test.headers...))
			request := newRequest(server)
			request.GrantType, request.Response = refreshGrant, test.mapper

			answer, err := newClient(t).Token(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}

			expires, known := answer.RefreshTokenExpiresAt()
			if known != (test.want != 0) || known && !expires.Equal(start.Add(test.want)) || answer.RefreshToken.Reveal() != "r" {
				t.Errorf("got %s, %t, want %s", expires, known, test.want)
			}
		})
	}
}

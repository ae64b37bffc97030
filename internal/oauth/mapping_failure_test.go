package oauth_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
)

func TestMappedFailures(t *testing.T) {
	t.Parallel()

	const (
		slack  = `{"ok":false,"error":"invalid_refresh_token","access_token":"t"}`
		apigee = `{"ErrorCode":"invalid_client","Error":"ClientId is Invalid"}`
		ups    = `{"response":{"errors":[{"code":"10400"}]}}`
	)

	ok := at(map[oauth.Name]string{oauth.NameSucceeded: "ok"})
	status := at(map[oauth.Name]string{oauth.NameError: "status", oauth.NameErrorDescription: "message"})

	for name, test := range map[string]struct {
		status int
		body   string
		mapper oauth.ResponseMapper
		want   verdict
		text   string
	}{
		"Slack":                         {200, slack, ok, unusable("invalid_refresh_token"), `is no success by response.succeeded (HTTP status 200, error "invalid_refresh_token"). Check the request`},
		"Slack, a mapped code":          {200, slack, at(map[oauth.Name]string{oauth.NameSucceeded: "ok", oauth.NameError: "error"}), rejected("invalid_refresh_token"), "refused the request"},
		"a success that is not there":   {200, good, ok, unusable(""), "is no success by response.succeeded"},
		"a success that is no bool":     {200, `{"ok":"yes","access_token":"t"}`, ok, unusable(""), "gives neither true nor false"},
		"succeeded with a 4xx":          {400, good, found(map[oauth.Name]any{oauth.NameSucceeded: true}), unusable(""), "HTTP status 400"},
		"succeeded without a token":     {200, `{}`, found(map[oauth.Name]any{oauth.NameSucceeded: true}), unusable(""), "has no access_token"},
		"Apigee":                        {401, apigee, at(map[oauth.Name]string{oauth.NameError: "ErrorCode", oauth.NameErrorDescription: "Error"}), rejected("invalid_client"), "ClientId is Invalid. Check the client ID"},
		"Synqly":                        {401, `{"status":401,"message":"No such token"}`, status, rejected("401"), `error "401"): No such token. Check the client ID`},
		"Synqly is unwell":              {503, `{"status":503,"message":"Later"}`, status, unreachable("503"), "cannot answer for now"},
		"Synqly without a token":        {200, `{"result":{}}`, at(map[oauth.Name]string{oauth.NameAccessToken: "result/a", oauth.NameError: "status"}), unusable(""), "has no access token at response.accessToken (HTTP status 200). Check response.accessToken"},
		"a code that is mapped away":    {400, `{"error":"invalid_client"}`, found(map[oauth.Name]any{oauth.NameError: nil}), unusable(""), ""},
		"a code that is no text":        {400, ups, at(map[oauth.Name]string{oauth.NameError: "response/errors"}), unusable(""), ""},
		"a code that is a fraction":     {400, `{}`, found(map[oauth.Name]any{oauth.NameError: 40013.0}), rejected("40013"), ""},
		"a code that is an int":         {400, `{}`, found(map[oauth.Name]any{oauth.NameError: int64(-1)}), rejected("-1"), ""},
		"a code that is unsigned":       {400, `{}`, found(map[oauth.Name]any{oauth.NameError: uint64(7)}), rejected("7"), ""},
		"a code of WeChat":              {200, `{"errcode":40013}`, at(map[oauth.Name]string{oauth.NameError: "errcode"}), rejected("40013"), ""},
		"an unwell code":                {400, `{}`, found(map[oauth.Name]any{oauth.NameError: "server_error"}), unreachable("server_error"), ""},
		"a code with a 500":             {500, `{}`, found(map[oauth.Name]any{oauth.NameError: "broken"}), unreachable("broken"), ""},
		"a code with a 429":             {429, `{}`, found(map[oauth.Name]any{oauth.NameError: "slow"}), verdict{oauth.KindRateLimited, lifetime.Throttled, "slow", 0}, ""},
		"a page for a token":            {200, `<html>t</html>`, at(map[oauth.Name]string{oauth.NameAccessToken: ""}), unusable(""), "that is an HTML or XML page"},
		"a page":                        {200, `<html>t</html>`, found(nil), unusable(""), "has no access_token"},
		"nothing":                       {204, ``, found(nil), unusable(""), "has no body"},
		"text for a token":              {200, "a\nb", at(map[oauth.Name]string{oauth.NameAccessToken: ""}), unusable(""), "at response.accessToken with control characters"},
		"an object for a token":         {200, `{}`, at(map[oauth.Name]string{oauth.NameAccessToken: ""}), unusable(""), "at response.accessToken that is not a string"},
		"a token that is bound":         {200, good, found(map[oauth.Name]any{oauth.NameTokenType: "DPoP"}), unusable(""), "bound to a key"},
		"what is neither JSON nor text": {200, "\xff", found(nil), unusable(""), "is neither JSON nor text in UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, _ := serve(t, reply(test.status, test.body))
			request := newRequest(server)
			request.Response = test.mapper

			answer, err := newClient(t).Token(t.Context(), request)
			e := failure(t, answer, err)

			if diff := cmp.Diff(test.want, verdict{e.Kind, e.Class, e.Code, e.RetryAfter}); diff != "" {
				t.Errorf("%s\n%s", diff, e)
			}

			if !strings.Contains(e.Error(), test.text) || e.Status != test.status {
				t.Errorf("got %q, want it to contain %q", e, test.text)
			}
		})
	}
}

func TestAMapperThatFails(t *testing.T) {
	t.Parallel()

	const problem = `response.expiresAt "timestamp(body.x)": it is hunter22hunter22`

	broken := func(values map[oauth.Name]any) mapper {
		return func(oauth.Response) (oauth.Mapping, error) {
			return oauth.Mapping{Values: values}, errors.New(problem)
		}
	}
	shown := `response.expiresAt "timestamp(body.x)": it is [redacted].`
	invalid := verdict{Kind: oauth.KindInvalidExpression, Class: lifetime.Configuration}

	for name, test := range map[string]struct {
		status  int
		body    string
		mapper  oauth.ResponseMapper
		want    verdict
		text    string
		refresh string
	}{
		"a success":            {200, good, broken(nil), invalid, "(HTTP status 200) cannot be read: " + shown, ""},
		"a rotated token":      {200, good, broken(map[oauth.Name]any{oauth.NameRefreshToken: "r0tated"}), invalid, shown, "r0tated"},
		"without a token":      {200, `{}`, broken(nil), invalid, shown, ""},
		"no success":           {200, good, broken(map[oauth.Name]any{oauth.NameSucceeded: false}), unusable(""), "is no success", ""},
		"an error":             {200, `{}`, broken(map[oauth.Name]any{oauth.NameError: "invalid_grant"}), rejected("invalid_grant"), "", ""},
		"an error and a token": {200, good, broken(map[oauth.Name]any{oauth.NameError: "0"}), invalid, shown, ""},
		"a known refusal":      {400, `{"error":"invalid_client"}`, broken(nil), rejected("invalid_client"), "", ""},
		"another refusal":      {400, `{"x":1}`, broken(nil), unusable(""), "documentation. The provider's response cannot be applied to it: " + shown, ""},
		"an endpoint unwell":   {502, `<html>`, broken(nil), unreachable(""), "", ""},
		"too many requests":    {429, ``, broken(nil), limited(0), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, _ := serve(t, reply(test.status, test.body))
			request := newRequest(server)
			request.Response = test.mapper

			answer, err := newClient(t).Token(t.Context(), request)
			e := failure(t, answer, err)

			if diff := cmp.Diff(test.want, verdict{e.Kind, e.Class, e.Code, e.RetryAfter}); diff != "" {
				t.Errorf("%s\n%s", diff, e)
			}

			if !strings.Contains(e.Error(), test.text) || strings.Contains(e.Error(), "hunter22") {
				t.Errorf("got %q, want it to contain %q", e, test.text)
			}

			if got := e.RefreshToken.Reveal(); got != test.refresh || e.Status != test.status {
				t.Errorf("got the refresh token %q", got)
			}
		})
	}
}

// The provider may have given up the refresh token that was sent.
func TestARefreshTokenSurvivesItsAnswer(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"without an access token":     {200, `{"refresh_token":"r0tated"}`, "r0tated"},
		"with a token that is bound":  {200, `{"access_token":"t","token_type":"DPoP","refresh_token":"r0tated"}`, "r0tated"},
		"with an error":               {201, `{"error":"invalid_client","refresh_token":"r0tated"}`, "r0tated"},
		"one that cannot be sent":     {200, `{"refresh_token":"r0\ntated"}`, ""},
		"one that is no text":         {200, `{"refresh_token":["r0tated"]}`, ""},
		"of an answer that is broken": {200, `{"refresh_token":"r0tated"`, ""},
		"of a refusal":                {400, `{"refresh_token":"r0tated"}`, ""},
		"of an endpoint unwell":       {500, `{"refresh_token":"r0tated"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, _ := serve(t, reply(test.status, test.body))
			answer, err := newClient(t).Token(t.Context(), newRequest(server))

			if e := failure(t, answer, err); e.RefreshToken.Reveal() != test.want {
				t.Errorf("got %q, want %q", e.RefreshToken.Reveal(), test.want)
			}
		})
	}
}

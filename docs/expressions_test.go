package docs

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cpuguy83/dockercfg"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/expression"
	"github.com/tokensync/tokensync/internal/resolve"
)

const expressionsPage = "docs/expressions.md"

// credentials are the manifests of a page that are OAuthCredentials, by name.
func credentials(t *testing.T, page string) map[string]*v1alpha1.OAuthCredential {
	t.Helper()
	found := map[string]*v1alpha1.OAuthCredential{}
	for _, document := range manifests(t) {
		if document.content["kind"] == "OAuthCredential" && strings.HasPrefix(document.where, page+":") {
			credential := convert[v1alpha1.OAuthCredential](t, document)
			found[credential.Name] = credential
		}
	}
	return found
}

func convert[T any](t *testing.T, document manifest) *T {
	t.Helper()
	converted := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(document.content, converted); err != nil {
		t.Fatalf("%s: %v", document.where, err)
	}
	return converted
}

// example is what the expressions of the page see.
func example() map[string]any {
	return map[string]any{
		"token": map[string]any{
			"access_token": "t0ken",
			"token_type":   "Bearer",
			"expires_at":   "2026-11-21T21:16:47Z",
			"scope":        "read write",
			"raw":          map[string]any{"access_token": "t0ken", "instance_url": "https://eu7.example.com"},
		},
		"client":     map[string]any{"id": "app"},
		"credential": map[string]any{"name": "orders-api", "namespace": "web"},
	}
}

// evaluate answers what an expression of secret.data gives, or what is wrong with it.
func evaluate(source string, variables map[string]any) (string, error) {
	const field = "spec.secret.data.key"
	value, err := expression.NewCompiler().Evaluate(expression.Data, field, source, variables)
	if err != nil {
		return "", err
	}
	return expression.Text(field, source, value)
}

// table answers the rows below a header, each cell without the backticks around it.
func table(t *testing.T, page, header string) [][]string {
	t.Helper()
	var rows [][]string
	_, after, _ := strings.Cut(read(t, page), "\n"+header+"\n")
	for line := range strings.Lines(after) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(line, "| \n"), " | ") {
			cells = append(cells, strings.Trim(strings.TrimSpace(cell), "`"))
		}
		rows = append(rows, cells)
	}
	if len(rows) < 2 {
		t.Fatalf("%s has no table %q", page, header)
	}
	return rows[1:] // The first is the rule below the header.
}

// TestExamplesOfExpressions evaluates the tables of expressions and what they give.
func TestExamplesOfExpressions(t *testing.T) {
	bare := example()
	bare["token"] = map[string]any{"access_token": "t0ken", "token_type": "Bearer"}
	for header, variables := range map[string]map[string]any{
		"| expression | gives |":                  example(),
		"| expression | gives, without a scope |": bare,
	} {
		for _, row := range table(t, expressionsPage, header) {
			if got, err := evaluate(row[0], variables); err != nil || got != row[1] {
				t.Errorf("%s gives %q, %v; the page says %q", row[0], got, err, row[1])
			}
		}
	}
}

// TestMessagesOfExpressions holds the messages of the page to those of the code.
func TestMessagesOfExpressions(t *testing.T) {
	for _, row := range table(t, expressionsPage, "| expression | says |") {
		if got, err := evaluate(row[0], example()); err == nil || err.Error() != row[1] {
			t.Errorf("%s gives %q and says\n  %v\nbut the page has\n  %s", row[0], got, err, row[1])
		}
	}
}

// TestRecipes evaluates every secret.data of the page.
func TestRecipes(t *testing.T) {
	got := map[string]map[string]string{}
	for name, credential := range credentials(t, expressionsPage) {
		for key, source := range credential.Spec.Secret.Data {
			text, err := evaluate(string(source), example())
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got[name] == nil {
				got[name] = map[string]string{}
			}
			got[name][key] = text
		}
	}
	pullSecret := got["registry"][".dockerconfigjson"]
	delete(got, "registry")
	want := map[string]map[string]string{
		"orders-api": {"access_token": "t0ken", "authorization": "Bearer t0ken"},
		"block":      {"config.json": `{"expires":"2026-11-21T21:16:47Z","scopes":["read","write"],"token":"t0ken"}`},
		"netrc":      {".netrc": "machine git.example.com login oauth2 password t0ken\n"},
		"env-file":   {"token.env": "API_TOKEN=t0ken\nAPI_TOKEN_EXPIRES_AT=2026-11-21T21:16:47Z\n"},
		"header":     {"access_token": "t0ken", "authorization": "Bearer t0ken"},
		"epoch":      {"access_token": "t0ken", "expires_at": "1795295807"},
		"salesforce": {"access_token": "t0ken", "instance_url": "https://eu7.example.com"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the recipes of %s (-want +got):\n%s", expressionsPage, diff)
	}
	checkPullSecret(t, pullSecret)
}

// checkPullSecret has the recipe of a pull secret read by a parser that others wrote.
func checkPullSecret(t *testing.T, pullSecret string) {
	t.Helper()
	config := dockercfg.Config{}
	if err := json.Unmarshal([]byte(pullSecret), &config); err != nil {
		t.Fatal(err)
	}
	const host, user, password = "registry.example.com", "oauth2accesstoken", "t0ken"
	if gotUser, gotPassword, err := config.GetRegistryCredentials(host); err != nil || gotUser != user || gotPassword != password {
		t.Errorf("the credentials of %s are %q, %q, %v", host, gotUser, gotPassword, err)
	}
	// Some readers know only the field auth.
	alone := dockercfg.AuthConfig{Auth: config.AuthConfigs[host].Auth}
	if gotUser, gotPassword, err := dockercfg.DecodeBase64Auth(alone); err != nil || gotUser != user || gotPassword != password {
		t.Errorf("auth of %s holds %q, %q, %v", host, gotUser, gotPassword, err)
	}
}

// TestExpressionsCompile compiles the expressions of all manifests of the documentation.
func TestExpressionsCompile(t *testing.T) {
	compiler, compiled := expression.NewCompiler(), 0
	for _, document := range manifests(t) {
		for environment, sources := range expressionsOf(t, document) {
			for _, source := range sources {
				compiled++
				if err := compiler.Check(environment, document.where, string(source)); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if compiled == 0 {
		t.Error("found no expressions")
	}
}

// expressionsOf are the expressions of a manifest of ours, by what they see.
func expressionsOf(t *testing.T, document manifest) map[expression.Environment][]v1alpha1.Expression {
	t.Helper()
	endpoint, spec := &v1alpha1.Endpoint{}, &v1alpha1.OAuthCredentialSpec{}
	requests := expression.RequestRefresh // A provider may be one for such grants.
	switch document.content["kind"] {
	case string(v1alpha1.KindOAuthProvider):
		endpoint = &convert[v1alpha1.OAuthProvider](t, document).Spec.Endpoint
	case string(v1alpha1.KindClusterOAuthProvider):
		endpoint = &convert[v1alpha1.ClusterOAuthProvider](t, document).Spec.Endpoint
	case "OAuthCredential":
		credential := convert[v1alpha1.OAuthCredential](t, document)
		if spec = &credential.Spec; spec.Provider != nil {
			endpoint = spec.Provider
		}
		if !resolve.KeepsGrant(credential) {
			requests = expression.Request
		}
	}
	request := additionsOf(endpoint.Request.RequestAdditions, spec.Request)
	if spec.JWTBearer != nil {
		request = slices.AppendSeq(request, maps.Values(spec.JWTBearer.Claims))
	}
	r := endpoint.Response
	response := []v1alpha1.Expression{
		r.Succeeded, r.AccessToken, r.TokenType, r.ExpiresIn, r.ExpiresAt, r.IssuedAt, r.RefreshToken,
		r.RefreshTokenExpiresIn, r.Scope, r.Error, r.ErrorDescription,
	}
	isLeftOut := func(source v1alpha1.Expression) bool { return source == "" }
	return map[expression.Environment][]v1alpha1.Expression{
		requests:            slices.DeleteFunc(request, isLeftOut),
		expression.Response: slices.AppendSeq(slices.DeleteFunc(response, isLeftOut), maps.Values(r.Extra)),
		expression.Data:     slices.Collect(maps.Values(spec.Secret.Data)),
	}
}

func additionsOf(lists ...v1alpha1.RequestAdditions) []v1alpha1.Expression {
	var found []v1alpha1.Expression
	for _, additions := range lists {
		for _, header := range additions.Headers {
			found = append(found, header.Expression)
		}
		for _, parameter := range additions.Parameters {
			found = append(found, parameter.Expression)
		}
	}
	return found
}

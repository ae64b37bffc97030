package main

import (
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/test/cluster"
	"github.com/tokensync/tokensync/test/eventually"
	"github.com/tokensync/tokensync/test/standin"
)

const (
	namespace = "default"
	audience  = "https://news.example.com"
)

// account makes a ServiceAccount.
func account(t *testing.T, c *cluster.Cluster, name string) *corev1.ServiceAccount {
	t.Helper()
	made := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	if err := c.Client.Create(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	return made
}

// tokenOf has the cluster issue a token of a ServiceAccount; without audiences it is for the
// API server.
func tokenOf(t *testing.T, c *cluster.Cluster, of *corev1.ServiceAccount, audiences ...string) string {
	t.Helper()
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{Audiences: audiences}}
	if err := c.Client.SubResource("token").Create(t.Context(), of, request); err != nil {
		t.Fatal(err)
	}
	return request.Status.Token
}

// reviewer makes the directory of a ServiceAccount that may create TokenReviews.
func reviewer(t *testing.T, c *cluster.Cluster) (directory string) {
	t.Helper()
	own := account(t, c, "provider")
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "provider"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "system:auth-delegator"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: own.Name}},
	}
	if err := c.Client.Create(t.Context(), binding); err != nil {
		t.Fatal(err)
	}
	directory = t.TempDir()
	write(t, filepath.Join(directory, "token"), tokenOf(t, c, own))
	write(t, filepath.Join(directory, "ca.crt"), string(c.Config.CAData))
	return directory
}

func TestTokensOfAServiceAccount(t *testing.T) {
	t.Parallel()
	c, err := cluster.StartContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	reader, other := account(t, c, "reader"), account(t, c, "other")
	p := startProvider(t, "--subject=system:serviceaccount:"+namespace+":reader", "--audience="+audience,
		"--api-server="+c.Config.Host, "--service-account="+reviewer(t, c))
	ask := func(assertion string) (token string, got reply) {
		return p.ask(t, plainPrefix+standin.TokenPath, url.Values{
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {assertion},
		})
	}

	good := tokenOf(t, c, reader, audience)
	// The API server takes a moment until it minds a new ClusterRoleBinding.
	var token string
	eventually.Holds(t, "a token of the ServiceAccount is good", func() bool {
		token, _ = ask(good)
		return token != ""
	})
	if status := p.use(t, token); status != http.StatusOK {
		t.Errorf("the service answers %d", status)
	}
	for what, bad := range map[string]struct{ assertion, problem string }{
		"another ServiceAccount": {tokenOf(t, c, other, audience), "by the keys of the cluster: "},
		"another audience":       {tokenOf(t, c, reader, "other"), "by the keys of the cluster: the audience"},
		"two audiences":          {tokenOf(t, c, reader, audience, "other"), "by the keys of the cluster: the audience"},
		"the API server":         {tokenOf(t, c, reader), "by the keys of the cluster: the audience"},
		"another signature":      {good[:strings.LastIndex(good, ".")] + tokenOf(t, c, other)[strings.LastIndex(tokenOf(t, c, other), "."):], "the signature"},
		"no token":               {"none", "no signed JWT"},
	} {
		if token, _ := ask(bad.assertion); token != "" || !strings.Contains(p.counts(t).LastProblem, bad.problem) {
			t.Errorf("%s: issued %t, %q", what, token != "", p.counts(t).LastProblem)
		}
	}
	if err := c.Client.Delete(t.Context(), reader); err != nil {
		t.Fatal(err)
	}
	eventually.Holds(t, "the token of a ServiceAccount that is gone is refused", func() bool {
		token, _ = ask(good)
		return token == ""
	})
	if problem := p.counts(t).LastProblem; !strings.Contains(problem, "by a TokenReview: ") {
		t.Errorf("got %q", problem)
	}
}

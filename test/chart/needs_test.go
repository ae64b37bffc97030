package chart_test

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// right is what RBAC grants or does not.
type right struct{ group, resource, verb string }

// String is such as secrets/create, or oauthcredentials.tokensync.dev/status/patch.
func (r right) String() string {
	resource, subresource, found := strings.Cut(r.resource, "/")
	name := schema.GroupResource{Group: r.group, Resource: resource}.String()
	if found {
		name += "/" + subresource
	}
	return name + "/" + r.verb
}

// need is what the operator cannot do its work without.
type need struct {
	group, resource string
	verbs           []string
	purpose         string
}

var (
	// heard is the right to keep a cache.
	heard = []string{"list", "watch"}
	// cached is the right to keep a cache, and to look past it.
	cached = []string{"get", "list", "watch"}
	// reported is the right to write a status, which is not that to write a spec.
	reported = []string{"patch"}
)

// inScope is what it needs in every namespace that it works in.
var inScope = []need{
	{"tokensync.dev", "oauthcredentials", cached, "know the credentials, and that one still is before its grant is made anew"},
	{"tokensync.dev", "oauthcredentials", []string{"patch"}, "hold a credential until its tokens are revoked"},
	{"tokensync.dev", "oauthcredentials/status", reported, "report on credentials"},
	{"tokensync.dev", "oauthproviders", heard, "know the providers of a namespace"},
	{"tokensync.dev", "oauthproviders/status", reported, "report on the providers of a namespace"},
	{"", "secrets", cached, "read what credentials refer to, and see when it or a token is changed"},
	{"", "secrets", []string{"create", "patch"}, "write tokens, and grants before they are spent"},
	{"", "secrets", []string{"delete"}, "remove a Secret after a credential has chosen another name, and the grant of one that is gone"},
	{"", "configmaps", cached, "read the CAs that tls.caRef names"},
	{"events.k8s.io", "events", []string{"create", "patch"}, "record events"},
}

// forClusterProviders is what it needs for ClusterOAuthProviders.
var forClusterProviders = []need{
	{"tokensync.dev", "clusteroauthproviders", heard, "know the providers of the cluster"},
	{"tokensync.dev", "clusteroauthproviders/status", reported, "report on the providers of the cluster"},
	{"", "namespaces", []string{"get"}, "tell this cluster from another"},
	{"", "namespaces", heard, "see which namespaces spec.allowedNamespaces selects"},
}

// forServiceAccountTokens is what it needs for client.serviceAccount.
var forServiceAccountTokens = []need{
	{"", "serviceaccounts", []string{"get"}, "see whether a ServiceAccount consents"},
	{"", "serviceaccounts/token", []string{"create"}, "ask for the token of a ServiceAccount"},
}

// forReplicas is what it needs in its own namespace.
var forReplicas = []need{
	{"coordination.k8s.io", "leases", []string{"create"}, "elect a leader"},
	{"coordination.k8s.io", "leases", []string{"get", "update"}, "renew the lease, and take over that of another"},
	{"", "events", []string{"create"}, "report who leads"},
	{"", "pods", []string{"get"}, "see whether the pod that has sent a refresh token lives"},
}

package gitops

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/cluster"
	"github.com/tokensync/tokensync/test/standin"
)

// gitops is the field manager of whoever applies what is in Git.
const gitops client.FieldOwner = "gitops"

// kinds are ours.
var kinds = []string{"OAuthCredential", "OAuthProvider", "ClusterOAuthProvider"}

// stage is a namespace with a provider of its own.
type stage struct {
	t         *testing.T
	cluster   *cluster.Cluster
	namespace string
	provider  *standin.Server
	base      string
}

// newStage makes a stage that lasts as long as the test. Its tokens live for lifetime, an
// hour when that is zero.
func newStage(t *testing.T, lifetime time.Duration) *stage {
	t.Helper()
	s := &stage{t: t, cluster: controlPlane(t)}
	var err error
	if s.namespace, err = s.cluster.CreateNamespace(t.Context(), "team"); err != nil {
		t.Fatal(err)
	}
	s.provider = standin.NewOAuth(standin.Options{
		Lifetime:  lifetime,
		AnyClient: func(id, secret string) bool { return secret == id+"-password" },
		Rotation:  &standin.Rotation{},
	})
	base, stop, err := s.provider.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	s.base = base
	return s
}

// manifest is that of one of our objects, with lines of YAML under its spec.
func (s *stage) manifest(kind string, lines ...string) string {
	return fmt.Sprintf("apiVersion: tokensync.dev/v1alpha1\nkind: %s\nmetadata: {name: %s}\nspec:\n  %s\n",
		kind, s.name(kind), strings.Join(lines, "\n  "))
}

// name is that of the one object of a kind.
func (s *stage) name(kind string) string {
	if kind == "ClusterOAuthProvider" {
		return s.namespace // Other stages have one as well.
	}
	return "acme"
}

// endpoint is YAML that declares the stage's provider.
func (s *stage) endpoint() string {
	return fmt.Sprintf("{tokenURL: %q, authorizationURL: %q, revocationURL: %q}",
		s.base+standin.TokenPath, s.base+standin.AuthorizePath, s.base+standin.RevocationPath)
}

// declare applies a credential of the stage's provider.
func (s *stage) declare(lines ...string) {
	s.t.Helper()
	s.apply(s.credential(lines...))
}

func (s *stage) credential(lines ...string) string {
	return s.manifest("OAuthCredential", append([]string{
		"provider: " + s.endpoint(),
		"client: {id: acme, secretRef: {name: acme-client, key: password}}",
	}, lines...)...)
}

// password applies the Secret of the client.
func (s *stage) password(value string) {
	s.t.Helper()
	s.apply(clientSecret(value))
}

func clientSecret(value string) string {
	return "apiVersion: v1\nkind: Secret\nmetadata: {name: acme-client}\nstringData: {password: " + value + "}\n"
}

// supplied applies a credential with the Secret of its client, and waits until it has a
// good token.
func (s *stage) supplied(lines ...string) {
	s.t.Helper()
	s.password("acme-password")
	s.declare(lines...)
	s.await("OAuthCredential", good, "holds a good token")
}

// down makes the provider fail.
func (s *stage) down() { s.provider.Misbehave(standin.Behavior{Fault: standin.Respond}) }

// slow makes the provider think for a while.
func (s *stage) slow(while time.Duration) {
	s.provider.Misbehave(standin.Behavior{Delay: while}, standin.Behavior{Delay: while, Path: standin.RevocationPath})
}

// issued holds how many tokens the provider has answered until now.
func (s *stage) issued(want int64) {
	s.t.Helper()
	if got := s.provider.CountsOf("acme").Outcomes[standin.Issued]; got != want {
		s.t.Errorf("%d tokens were issued, want %d", got, want)
	}
}

// refresh asks for another token now.
func (s *stage) refresh() {
	s.t.Helper()
	s.edit("OAuthCredential", "metadata: {annotations: {tokensync.dev/refresh-requested-at: now}}")
}

// object is the one of a kind, without its content.
func (s *stage) object(kind string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
	if kind != "ClusterOAuthProvider" {
		o.SetNamespace(s.namespace)
	}
	o.SetName(s.name(kind))
	return o
}

// live is the object of a kind as it is now.
func (s *stage) live(kind string) *unstructured.Unstructured {
	s.t.Helper()
	o := s.object(kind)
	if err := s.cluster.Client.Get(s.t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
		s.t.Fatal(err)
	}
	return o
}

// apply applies a manifest.
func (s *stage) apply(manifest string) {
	s.t.Helper()
	content := map[string]any{}
	if err := yaml.UnmarshalStrict([]byte(manifest), &content); err != nil {
		s.t.Fatalf("%v in\n%s", err, manifest)
	}
	o := &unstructured.Unstructured{Object: content}
	if o.GetKind() != "ClusterOAuthProvider" {
		o.SetNamespace(s.namespace)
	}
	configuration := client.ApplyConfigurationFromUnstructured(o)
	if err := s.cluster.Client.Apply(s.t.Context(), configuration, gitops, client.ForceOwnership); err != nil {
		s.t.Fatal(err)
	}
}

// edit changes what the YAML names, and answers the object as it is right after that.
func (s *stage) edit(kind, change string) *unstructured.Unstructured {
	s.t.Helper()
	patch, err := yaml.YAMLToJSONStrict([]byte(change))
	if err != nil {
		s.t.Fatal(err)
	}
	o := s.object(kind)
	if err := s.cluster.Client.Patch(s.t.Context(), o, client.RawPatch(types.MergePatchType, patch), gitops); err != nil {
		s.t.Fatal(err)
	}
	return o
}

// remove deletes the object of a kind.
func (s *stage) remove(kind string) {
	s.t.Helper()
	if err := s.cluster.Client.Delete(s.t.Context(), s.object(kind)); err != nil {
		s.t.Fatal(err)
	}
}

package conformance

import (
	"crypto/rand"
	"regexp"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/test/conformance/oidcprovider"
	"github.com/tokensync/tokensync/test/eventually"
)

// office is a workspace with a server on which people log in.
type office struct {
	*workspace

	people *namespace
}

// logIn has a person consent for a credential, and leaves the code to the operator.
func (o *office) logIn(t *testing.T, name, spec string) {
	t.Helper()
	query, given, _ := o.people.logIn(t, spec, newPerson(t))
	credential := o.credential(t, name)
	plan, _ := o.people.plan(t, spec)
	login := grant.Login{
		ID: rand.Text(), Credential: string(credential.UID), At: time.Now(), Consent: plan.Consent(),
		Code: redact.New(query.Get("code")), Verifier: given.Verifier, RedirectURI: given.RedirectURI,
	}
	encoded, err := login.Encode()
	if err != nil {
		t.Fatal(err)
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: o.name, Name: name + "-grant", Labels: map[string]string{
			v1alpha1.LabelManagedBy: v1alpha1.ManagedByTokensync, v1alpha1.LabelCredential: name, v1alpha1.LabelRole: v1alpha1.RoleGrant,
		}},
		Data: map[string][]byte{grant.KeyLogin: encoded},
	}
	if err := o.Client.Create(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
}

func (o *office) credential(t *testing.T, name string) *v1alpha1.OAuthCredential {
	t.Helper()
	credential := &v1alpha1.OAuthCredential{}
	if err := o.Client.Get(t.Context(), client.ObjectKey{Namespace: o.name, Name: name}, credential); err != nil {
		t.Fatal(err)
	}
	return credential
}

// record is the grant of a credential.
func (o *office) record(t *testing.T, name string) *grant.Record {
	t.Helper()
	secret := &corev1.Secret{}
	if err := o.Client.Get(t.Context(), client.ObjectKey{Namespace: o.name, Name: name + "-grant"}, secret); err != nil {
		t.Fatal(err)
	}
	record, err := grant.Decode(secret.Data)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// counts is what the server has counted.
func (o *office) counts(t *testing.T) oidcprovider.Counts {
	t.Helper()
	counts, err := o.server.Counts()
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

// refreshed asks for a refresh, and waits until its answer is kept and published.
func (o *office) refreshed(t *testing.T, name string) {
	t.Helper()
	before := o.record(t, name).Chain.Generation
	o.askFor(t, name)
	eventually.Holds(t, name+" is refreshed", func() bool {
		record := o.record(t, name)
		if record.Attempt != nil || record.Chain.Generation == before {
			return false
		}
		return o.token(t, name) == record.Chain.Token.Answer.AccessToken.Reveal()
	})
}

// askFor asks for a refresh.
func (o *office) askFor(t *testing.T, name string) {
	t.Helper()
	o.edit(t, name, func(c *v1alpha1.OAuthCredential) {
		metav1.SetMetaDataAnnotation(&c.ObjectMeta, v1alpha1.AnnotationRefreshRequestedAt, rand.Text())
	})
}

// edit changes a credential.
func (o *office) edit(t *testing.T, name string, change func(*v1alpha1.OAuthCredential)) {
	t.Helper()
	credential := o.credential(t, name)
	changed := credential.DeepCopy()
	change(changed)
	if err := o.Client.Patch(t.Context(), changed, client.MergeFrom(credential)); err != nil {
		t.Fatal(err)
	}
}

// kill kills the operator.
func (o *office) kill(t *testing.T) {
	t.Helper()
	if err := o.process.Kill(); err != nil {
		t.Fatal(err)
	}
}

// introspects asks the server about the token in the Secret of a credential.
func (o *office) introspects(t *testing.T, name string) oidcprovider.Introspection {
	t.Helper()
	told, err := o.server.Introspect(t.Context(), o.token(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return told
}

// token is what the Secret of a credential holds.
func (o *office) token(t *testing.T, name string) string {
	t.Helper()
	target := &corev1.Secret{}
	if err := o.Client.Get(t.Context(), client.ObjectKey{Namespace: o.name, Name: name}, target); err != nil {
		t.Fatal(err)
	}
	return string(target.Data[v1alpha1.KeyAccessToken])
}

// TestTheOperatorKeepsGrants has the operator live on grants whose refresh tokens are
// good for one use, at a server that ends the grant with the second.
func TestTheOperatorKeepsGrants(t *testing.T) {
	server := startPeople(t, longResource(), oidcprovider.Resource{Identifier: briefResource, Scopes: []string{"read"}, Seconds: 4})
	o := &office{workspace: newWorkspace(t, server), people: newNamespace(t, server)}
	o.store(t, "app", map[string]string{"client_secret": reserved})
	t.Run("over a restart by SIGKILL", func(t *testing.T) { survives(t, o) })
	t.Run("over a restart while it asks", func(t *testing.T) { asksAgain(t, o) })
	t.Run("by the device grant", func(t *testing.T) { entersACode(t, o) })
	t.Run("over several lifetimes", func(t *testing.T) { lives(t, o) })
	if counts := o.counts(t); counts.Reused != 0 || counts.Revoked != 0 {
		t.Errorf("the server has counted %+v", counts)
	}
	t.Run("until they are revoked", func(t *testing.T) { revokes(t, o) })
	t.Run("as far as the server lets it", func(t *testing.T) { tells(t, o) })
}

// begin declares a credential, and has a person log in for it.
func (o *office) begin(t *testing.T, name, spec string) {
	t.Helper()
	o.declare(t, name, spec)
	o.waitFor(t, waitsForAPerson, name)
	o.logIn(t, name, spec)
	o.waitFor(t, isReady, name)
}

func waitsForAPerson(ready *metav1.Condition) bool {
	return ready.Status == metav1.ConditionFalse && ready.Reason == v1alpha1.ReasonAuthorizationRequired
}

// survives kills the operator between its requests: no token is due, so that none is
// under way.
func survives(t *testing.T, o *office) {
	t.Helper()
	o.begin(t, "survivor", byCode)
	before := o.counts(t)
	const rounds = 3
	for range rounds {
		o.refreshed(t, "survivor")
		o.kill(t)
		o.startOperator(t)
		o.refreshed(t, "survivor")
	}
	if after := o.counts(t); after.Refreshed-before.Refreshed != 2*rounds {
		t.Errorf("the server has counted %+v, and before that %+v", after, before)
	}
	if told := o.told(t, "survivor"); told.Person != "jane" || told.Scope != "read" {
		t.Errorf("the server knows the token as %+v", told)
	}
}

// lives has tokens run out, several times.
func lives(t *testing.T, o *office) {
	t.Helper()
	spec := byCode + "resources: [" + briefResource + "]\n"
	o.begin(t, "brief", spec)
	before := o.counts(t).Refreshed
	eventually.Holds(t, "the token was replaced three times", func() bool { return o.counts(t).Refreshed >= before+3 })
	eventually.Holds(t, "the token was good", func() bool { return o.introspects(t, "brief").Active })
	if told := o.introspects(t, "brief"); told.Audience != briefResource && told.Active {
		t.Errorf("the server knows the token as %+v", told)
	}
	o.edit(t, "brief", func(c *v1alpha1.OAuthCredential) { c.Spec.Suspend = true })
}

// entersACode has a person enter the code that the status shows.
func entersACode(t *testing.T, o *office) {
	t.Helper()
	o.declare(t, "device", byDevice)
	var page string
	eventually.Holds(t, "the status shows a code", func() bool {
		if failed := o.credential(t, "device").Status.LastFailure; failed != nil {
			if shown := regexp.MustCompile(`\(or open (\S+)\)`).FindStringSubmatch(failed.Message); shown != nil {
				page = shown[1]
			}
		}
		return page != ""
	})
	if _, text := newPerson(t).visit(t.Context(), page); !strings.Contains(text, "was successful") {
		t.Fatalf("the person is left with\n%s", text)
	}
	o.waitFor(t, isReady, "device")
	o.refreshed(t, "device")
	if told := o.told(t, "device"); told.Person != "jane" {
		t.Errorf("the server knows the token as %+v", told)
	}
}

// revokes deletes a credential whose tokens are to go with it.
func revokes(t *testing.T, o *office) {
	t.Helper()
	o.begin(t, "revoked", byCode+"revocationPolicy: OnDelete\n")
	token := o.record(t, "revoked").Chain.Token.Answer.AccessToken.Reveal()
	before := o.counts(t).Revoked
	if err := o.Client.Delete(t.Context(), o.credential(t, "revoked")); err != nil {
		t.Fatal(err)
	}
	eventually.Holds(t, "the credential is gone", func() bool {
		err := o.Client.Get(t.Context(), client.ObjectKey{Namespace: o.name, Name: "revoked"}, &v1alpha1.OAuthCredential{})
		return apierrors.IsNotFound(err)
	})
	told, err := o.server.Introspect(t.Context(), token)
	if err != nil || told.Active {
		t.Errorf("the token is still good: %+v (%v)", told, err)
	}
	if after := o.counts(t).Revoked; after <= before {
		t.Errorf("the server has counted %d", after)
	}
}

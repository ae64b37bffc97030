package secretstore_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/secretstore"
)

func credential() *v1alpha1.OAuthCredential {
	return &v1alpha1.OAuthCredential{ObjectMeta: metav1.ObjectMeta{Namespace: "web", Name: "mine", UID: "uid"}}
}

func managed(name string) map[string]string {
	return map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedByTokensync, v1alpha1.LabelCredential: name}
}

func grantOf(name string) map[string]string {
	labels := managed(name)
	labels[v1alpha1.LabelRole] = v1alpha1.RoleGrant
	return labels
}

func TestOwnerOf(t *testing.T) {
	t.Parallel()
	yes := true
	ours := []metav1.OwnerReference{{APIVersion: v1alpha1.GroupVersion.String(), Kind: "OAuthCredential", Name: "mine", UID: "uid", Controller: &yes}}
	theirs := []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: "d", UID: "else", Controller: &yes}}
	for name, test := range map[string]struct {
		secret *metav1.ObjectMeta
		owner  secretstore.Owner
		other  string
	}{
		"no Secret is nobody's":                          {nil, secretstore.Nobody, ""},
		"a bare Secret is a stranger's":                  {&metav1.ObjectMeta{}, secretstore.Stranger, ""},
		"our owner reference makes it ours":              {&metav1.ObjectMeta{OwnerReferences: ours}, secretstore.Us, ""},
		"our labels make it ours":                        {&metav1.ObjectMeta{Labels: managed("mine")}, secretstore.Us, ""},
		"somebody else's labels make it theirs":          {&metav1.ObjectMeta{Labels: managed("other")}, secretstore.AnotherCredential, "other"},
		"the credential's label alone makes it nobody's": {&metav1.ObjectMeta{Labels: map[string]string{v1alpha1.LabelCredential: "mine"}}, secretstore.Stranger, ""},
		"the manager's label alone makes it a stranger's": {
			&metav1.ObjectMeta{Labels: map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedByTokensync}}, secretstore.Stranger, "",
		},
		"a grant is nobody's target, not even our own": {&metav1.ObjectMeta{Labels: grantOf("mine")}, secretstore.Stranger, ""},
		"a grant of another credential is no target":   {&metav1.ObjectMeta{Labels: grantOf("other")}, secretstore.Stranger, ""},
		"another controller makes it a stranger's":     {&metav1.ObjectMeta{OwnerReferences: theirs}, secretstore.Stranger, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			owner, other := secretstore.OwnerOf(test.secret, credential())
			if owner != test.owner || other != test.other {
				t.Errorf("got %s %q, want %s %q", owner, other, test.owner, test.other)
			}
		})
	}
}

// TestOwnerOfWithoutAUID: a credential that is no object of the cluster leaves to the operator
// what that keeps, although the names be the same.
func TestOwnerOfWithoutAUID(t *testing.T) {
	t.Parallel()
	yes := true
	mine := credential()
	mine.UID = ""
	kept := metav1.ObjectMeta{Labels: managed("mine"), OwnerReferences: []metav1.OwnerReference{{Kind: "OAuthCredential", Name: "mine", UID: "uid", Controller: &yes}}}
	if owner, _ := secretstore.OwnerOf(&kept, mine); owner != secretstore.Stranger {
		t.Errorf("what an object controls is of %s", owner)
	}
	if owner, _ := secretstore.OwnerOf(&metav1.ObjectMeta{Labels: managed("mine")}, mine); owner != secretstore.Us {
		t.Errorf("what nothing controls is of %s", owner)
	}
}

func TestAdoptable(t *testing.T) {
	t.Parallel()
	yes := true
	for name, test := range map[string]struct {
		secret corev1.Secret
		ok     bool
	}{
		"a plain Secret":                  {corev1.Secret{Type: corev1.SecretTypeOpaque}, true},
		"a TLS Secret":                    {corev1.Secret{Type: corev1.SecretTypeTLS}, true},
		"a ServiceAccount token":          {corev1.Secret{Type: corev1.SecretTypeServiceAccountToken}, false},
		"a bootstrap token":               {corev1.Secret{Type: corev1.SecretTypeBootstrapToken}, false},
		"a Helm release":                  {corev1.Secret{Type: "helm.sh/release.v1"}, false},
		"a Secret of another controller":  {corev1.Secret{ObjectMeta: metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{{UID: "x", Controller: &yes}}}}, false},
		"a Secret that is merely owned":   {corev1.Secret{ObjectMeta: metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{{UID: "x"}}}}, true},
		"a Secret that holds a grant":     {corev1.Secret{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{v1alpha1.LabelRole: "grant"}}}, false},
		"a Secret of a label of its own":  {corev1.Secret{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "x"}}}, true},
		"a Secret with our label, orphan": {corev1.Secret{ObjectMeta: metav1.ObjectMeta{Labels: managed("gone")}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if refusal, ok := secretstore.Adoptable(&test.secret); ok != test.ok || ok == (refusal != "") {
				t.Errorf("adoptable: %t (%s), want %t", ok, refusal, test.ok)
			}
		})
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	whole := map[string]string{
		v1alpha1.AnnotationIssuedAt:   "2026-01-02T03:04:05Z",
		v1alpha1.AnnotationExpiresAt:  "2026-01-02T04:04:05Z",
		v1alpha1.AnnotationInputsHash: "in",
		v1alpha1.AnnotationDataHash:   "data",
	}
	described, ok := secretstore.Describe(&metav1.ObjectMeta{Annotations: whole})
	if !ok || described.Life.Lifetime() != time.Hour || described.InputsHash != "in" || described.DataHash != "data" {
		t.Errorf("got %+v, %t", described, ok)
	}
	for missing, fatal := range map[string]bool{
		v1alpha1.AnnotationIssuedAt:   true,
		v1alpha1.AnnotationInputsHash: true,
		v1alpha1.AnnotationDataHash:   true,
		v1alpha1.AnnotationExpiresAt:  false, // the lifetime is unknown
	} {
		annotations := map[string]string{}
		for key, value := range whole {
			if key != missing {
				annotations[key] = value
			}
		}
		if _, ok := secretstore.Describe(&metav1.ObjectMeta{Annotations: annotations}); ok == fatal {
			t.Errorf("without %s it describes a token: %t", missing, ok)
		}
	}
	whole[v1alpha1.AnnotationExpiresAt] = "tomorrow"
	if _, ok := secretstore.Describe(&metav1.ObjectMeta{Annotations: whole}); ok {
		t.Error("an expiry that is no instant was believed")
	}
}

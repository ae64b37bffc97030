package secretstore_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// mine is the name of the credential of these tests.
var mine = types.NamespacedName{Namespace: "web", Name: "mine"}

// recorder keeps what would be written, and answers an error or a new version.
type recorder struct {
	client.Writer

	err     error
	created *corev1.Secret
	patched *corev1.Secret
	patch   []byte
	kind    types.PatchType
}

func (r *recorder) Create(_ context.Context, object client.Object, _ ...client.CreateOption) error {
	r.created = object.(*corev1.Secret).DeepCopy()
	object.SetResourceVersion("8")
	return r.err
}

func (r *recorder) Patch(_ context.Context, object client.Object, patch client.Patch, _ ...client.PatchOption) error {
	r.patched = object.(*corev1.Secret).DeepCopy()
	r.patch, _ = patch.Data(object)
	r.kind = patch.Type()
	object.SetResourceVersion("8")
	return r.err
}

// record is a grant with a refresh token and nothing else.
func record() *grant.Record {
	r := grant.NewRecord("cluster", "uid")
	r.Chain = &grant.Chain{ID: "chain", StartedAt: time.Unix(1, 0), RefreshToken: redact.New("r3fresh"), Generation: 1}
	return r
}

func TestAGrantIsMade(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	store := secretstore.Store{Writer: r}
	version, err := store.WriteGrant(t.Context(), mine, record(), "")
	if err != nil || version != "8" || r.patched != nil {
		t.Fatalf("got the version %q, %v", version, err)
	}
	if r.created.Namespace != "web" || r.created.Name != "mine-grant" {
		t.Errorf("made %s/%s", r.created.Namespace, r.created.Name)
	}
	if !secretstore.HoldsGrant(&r.created.ObjectMeta, "mine") {
		t.Errorf("its labels are %v", r.created.Labels)
	}
	if len(r.created.OwnerReferences) > 0 {
		t.Error("it goes with the credential, and is not there to tell that its refresh token is in use elsewhere")
	}
	if back, err := grant.Decode(r.created.Data); err != nil || back.Chain.RefreshToken.Reveal() != "r3fresh" {
		t.Errorf("it holds %v: %v", back, err)
	}
}

// TestAGrantIsReplaced: what the grant no longer has goes, what others have put beside it
// stays, and nothing happens where the Secret is not what was read.
func TestAGrantIsReplaced(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	store := secretstore.Store{Writer: r}
	version, err := store.WriteGrant(t.Context(), mine, record(), "7")
	if err != nil || version != "8" || r.created != nil {
		t.Fatalf("got the version %q, %v", version, err)
	}
	if r.kind != types.MergePatchType || r.patched.Namespace != "web" || r.patched.Name != "mine-grant" {
		t.Errorf("patches %s/%s by a %s", r.patched.Namespace, r.patched.Name, r.kind)
	}
	var sent struct {
		Metadata struct {
			ResourceVersion string            `json:"resourceVersion"`
			Labels          map[string]string `json:"labels"`
		} `json:"metadata"`
		Data map[string]*[]byte `json:"data"`
	}
	if err := json.Unmarshal(r.patch, &sent); err != nil {
		t.Fatal(err)
	}
	if sent.Metadata.ResourceVersion != "7" || sent.Metadata.Labels[v1alpha1.LabelRole] != v1alpha1.RoleGrant {
		t.Errorf("the metadata are %v", sent.Metadata)
	}
	if keys := slices.Sorted(maps.Keys(sent.Data)); !slices.Equal(keys, slices.Sorted(slices.Values(grant.Keys))) {
		t.Errorf("the keys are %q", keys)
	}
	for key, value := range sent.Data {
		if kept := key == grant.KeyRecord || key == grant.KeyRefreshToken; (value != nil) != kept {
			t.Errorf("%s is kept: %t", key, value != nil)
		}
	}
	if got := sent.Data[grant.KeyRefreshToken]; got == nil || string(*got) != "r3fresh" {
		t.Error("the refresh token is not what it was")
	}
}

func TestWhatAFailedWriteOfAGrantMeans(t *testing.T) {
	t.Parallel()
	secrets := schema.GroupResource{Resource: "secrets"}
	conflict := apierrors.NewConflict(secrets, "mine-grant", errors.New("changed"))
	exists := apierrors.NewAlreadyExists(secrets, "mine-grant")
	gone := apierrors.NewNotFound(secrets, "mine-grant")
	forbidden := apierrors.NewForbidden(secrets, "mine-grant", errors.New("r3fresh is over the quota"))
	away := errors.New("the server is away")
	for name, test := range map[string]struct {
		err     error
		version string
		want    error
	}{
		"somebody was faster":              {conflict, "7", secretstore.ErrChanged},
		"somebody made it first":           {exists, "", secretstore.ErrChanged},
		"somebody has deleted it":          {gone, "7", secretstore.ErrChanged},
		"there is no namespace to make it": {gone, "", gone},
		"the server is away":               {away, "7", away},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := secretstore.Store{Writer: &recorder{err: test.err}}
			version, err := store.WriteGrant(t.Context(), mine, record(), test.version)
			if !errors.Is(err, test.want) || version != "" {
				t.Errorf("got the version %q, %v", version, err)
			}
		})
	}
	store := secretstore.Store{Writer: &recorder{err: forbidden}}
	_, err := store.WriteGrant(t.Context(), mine, record(), "7")
	var refused *secretstore.RejectedError
	if !errors.As(err, &refused) || refused.Name != "mine-grant" || strings.Contains(err.Error(), "r3fresh") {
		t.Errorf("got %v", err)
	}
}

func TestHoldsGrant(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		role, credential string
		want             bool
	}{
		"that of the credential":    {v1alpha1.RoleGrant, "mine", true},
		"that of another":           {v1alpha1.RoleGrant, "other", false},
		"one of nobody":             {v1alpha1.RoleGrant, "", false},
		"a target":                  {"", "mine", false},
		"something of another role": {"spare", "mine", false},
	} {
		secret := &metav1.ObjectMeta{Labels: map[string]string{v1alpha1.LabelRole: test.role, v1alpha1.LabelCredential: test.credential}}
		if got := secretstore.HoldsGrant(secret, "mine"); got != test.want {
			t.Errorf("%s holds the grant: %t", name, got)
		}
	}
	if secretstore.HoldsGrant(&metav1.ObjectMeta{}, "mine") || secretstore.HoldsGrant(&metav1.ObjectMeta{}, "") {
		t.Error("a bare Secret holds a grant")
	}
}

package secretstore_test

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// mine is the name of the credential of these tests.
var mine = types.NamespacedName{Namespace: "web", Name: "mine"}

// record is a grant with a refresh token and nothing else.
func record() *grant.Record {
	r := grant.NewRecord("cluster", "uid")
	r.Chain = &grant.Chain{ID: "chain", StartedAt: time.Unix(1, 0), RefreshToken: redact.New("r3fresh"), Generation: 1}
	return r
}

func TestAGrantIsMade(t *testing.T) {
	t.Parallel()
	store, sent := newStore(t, stored(metav1.ObjectMeta{ResourceVersion: "8"}))
	version, err := store.WriteGrant(t.Context(), mine, record(), "")
	if err != nil || version != "8" {
		t.Fatalf("got the version %q, %v", version, err)
	}
	(*sent)[0].is(t, http.MethodPost, "/api/v1/namespaces/web/secrets")
	(*sent)[0].hasQuery(t, "fieldManager=tokensync")
	made := (*sent)[0].secret(t)
	if made.Namespace != "web" || made.Name != "mine-grant" {
		t.Errorf("made %s/%s", made.Namespace, made.Name)
	}
	if !secretstore.HoldsGrant(&made.ObjectMeta, "mine") {
		t.Errorf("its labels are %v", made.Labels)
	}
	if len(made.OwnerReferences) > 0 {
		t.Error("it goes with the credential, and is not there to tell that its refresh token is in use elsewhere")
	}
	if back, err := grant.Decode(made.Data); err != nil || back.Chain.RefreshToken.Reveal() != "r3fresh" {
		t.Errorf("it holds %v: %v", back, err)
	}
}

// TestAGrantIsReplaced: what the grant no longer has goes, what others have put beside it
// stays, and nothing happens where the Secret is not what was read.
func TestAGrantIsReplaced(t *testing.T) {
	t.Parallel()
	store, requests := newStore(t, stored(metav1.ObjectMeta{ResourceVersion: "8"}))
	version, err := store.WriteGrant(t.Context(), mine, record(), "7")
	if err != nil || version != "8" {
		t.Fatalf("got the version %q, %v", version, err)
	}
	patch := (*requests)[0]
	patch.is(t, http.MethodPatch, "/api/v1/namespaces/web/secrets/mine-grant")
	patch.hasQuery(t, "fieldManager=tokensync")
	if patch.contentType != string(types.MergePatchType) {
		t.Errorf("patches by a %s", patch.contentType)
	}
	var sent struct {
		Metadata struct {
			ResourceVersion string            `json:"resourceVersion"`
			Labels          map[string]string `json:"labels"`
		} `json:"metadata"`
		Data map[string]*[]byte `json:"data"`
	}
	if err := json.Unmarshal(patch.body, &sent); err != nil {
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
	for name, test := range map[string]struct {
		answer  *metav1.Status
		version string
		means   func(error) bool
	}{
		"somebody was faster":              {status(http.StatusConflict, metav1.StatusReasonConflict), "7", hasChanged},
		"somebody made it first":           {status(http.StatusConflict, metav1.StatusReasonAlreadyExists), "", hasChanged},
		"somebody has deleted it":          {status(http.StatusNotFound, metav1.StatusReasonNotFound), "7", hasChanged},
		"there is no namespace to make it": {status(http.StatusNotFound, metav1.StatusReasonNotFound), "", apierrors.IsNotFound},
		"the server is in trouble":         {status(http.StatusInternalServerError, metav1.StatusReasonInternalError), "7", apierrors.IsInternalError},
		"it is over the quota":             {status(http.StatusForbidden, metav1.StatusReasonForbidden), "7", isRefused("mine-grant", metav1.StatusReasonForbidden)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, _ := newStore(t, test.answer)
			version, err := store.WriteGrant(t.Context(), mine, record(), test.version)
			if !test.means(err) || version != "" {
				t.Errorf("got the version %q, %v", version, err)
			}
		})
	}
}

// TestTheServerIsAway: it is told from a refusal, and nobody was faster.
func TestTheServerIsAway(t *testing.T) {
	t.Parallel()
	away := httptest.NewServer(http.NotFoundHandler())
	away.Close()
	store := storeAt(t, away.URL)
	_, err := store.WriteGrant(t.Context(), mine, record(), "7")
	if _, connection := errors.AsType[*url.Error](err); !connection || hasChanged(err) {
		t.Errorf("got %v", err)
	}
}

func hasChanged(err error) bool { return errors.Is(err, secretstore.ErrChanged) }

// isRefused tells whether an error says that the API server refuses a Secret for a reason
// and because of fields, and quotes nothing.
func isRefused(name string, reason metav1.StatusReason, fields ...string) func(error) bool {
	return func(err error) bool {
		var refused *secretstore.RejectedError
		return errors.As(err, &refused) && refused.Name == name && refused.Reason == reason &&
			slices.Equal(refused.Fields, fields) && !strings.Contains(err.Error(), "r3fresh")
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

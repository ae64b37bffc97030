package secretstore_test

import (
	"errors"
	"net/http"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/secretstore"
)

func TestATokenIsPublishedInANewSecret(t *testing.T) {
	t.Parallel()
	unowned := map[string]any{"ownerReferences": nil}
	for name, test := range map[string]struct {
		uid      types.UID
		policy   v1alpha1.DeletionPolicy
		metadata map[string]any
	}{
		"it goes with its credential":       {"uid", "", nil},
		"it is to be retained":              {"uid", v1alpha1.DeletionPolicyRetain, unowned},
		"its credential is in no cluster":   {"", "", unowned},
		"it is to go with what is no owner": {"", v1alpha1.DeletionPolicyDelete, unowned},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			owner := credential()
			owner.UID, owner.Spec.Secret.DeletionPolicy = test.uid, test.policy
			store, sent := newStore(t, stored(metav1.ObjectMeta{ResourceVersion: "8", ManagedFields: managedBy("tokensync", "access_token")}))
			version, err := store.Write(t.Context(), owner, token(), nil, false)
			if err != nil || version != "8" {
				t.Fatalf("got the version %q, %v", version, err)
			}
			(*sent)[0].isApply(t, "fieldManager=tokensync")
			(*sent)[0].sends(t, desired(test.metadata))
		})
	}
}

func TestATokenIsPublishedInASecretThatWasSeen(t *testing.T) {
	t.Parallel()
	store, sent := newStore(t, stored(metav1.ObjectMeta{ResourceVersion: "8", UID: "of-secret"}))
	version, err := store.Write(t.Context(), credential(), token(), &metav1.ObjectMeta{UID: "of-secret", ResourceVersion: "7"}, false)
	if err != nil || version != "8" {
		t.Fatalf("got the version %q, %v", version, err)
	}
	(*sent)[0].isApply(t, "fieldManager=tokensync&force=true")
	(*sent)[0].sends(t, desired(map[string]any{"uid": "of-secret", "resourceVersion": "7"}))
}

// TestSomebodyWasFaster: nothing of ours stays in a Secret that somebody else made.
func TestSomebodyWasFaster(t *testing.T) {
	t.Parallel()
	t.Run("and has the same fields", func(t *testing.T) {
		t.Parallel()
		store, _ := newStore(t, status(http.StatusConflict, metav1.StatusReasonConflict))
		if _, err := store.Write(t.Context(), credential(), token(), nil, false); !errors.Is(err, secretstore.ErrTaken) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("and has other fields", func(t *testing.T) {
		t.Parallel()
		theirs := append(managedBy("tokensync", "access_token"), managedBy("kubectl", "password")...)
		store, sent := newStore(t, stored(metav1.ObjectMeta{UID: "theirs", ManagedFields: theirs}), stored(metav1.ObjectMeta{}))
		if _, err := store.Write(t.Context(), credential(), token(), nil, false); !errors.Is(err, secretstore.ErrTaken) {
			t.Errorf("got %v", err)
		}
		(*sent)[1].isApply(t, "fieldManager=tokensync&force=true")
		(*sent)[1].sends(t, map[string]any{
			"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"namespace": "web", "name": "mine", "uid": "theirs"},
		})
	})
}

func TestWhatAFailedWriteMeans(t *testing.T) {
	t.Parallel()
	terminating := status(http.StatusForbidden, metav1.StatusReasonForbidden)
	terminating.Details.Causes = []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}
	for name, test := range map[string]struct {
		answer *metav1.Status
		means  func(error) bool
	}{
		"it has changed since": {status(http.StatusConflict, metav1.StatusReasonConflict), apierrors.IsConflict},
		"it does not fit": {
			status(http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, "data[tls.crt]", "type"),
			isRefused("mine", metav1.StatusReasonInvalid, "data[tls.crt]", "type"),
		},
		"it is too large": {
			status(http.StatusRequestEntityTooLarge, metav1.StatusReasonRequestEntityTooLarge),
			isRefused("mine", metav1.StatusReasonRequestEntityTooLarge),
		},
		"its namespace is going":   {terminating, apierrors.IsForbidden},
		"the server is in trouble": {status(http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable), apierrors.IsServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, _ := newStore(t, test.answer)
			if _, err := store.Write(t.Context(), credential(), token(), &metav1.ObjectMeta{UID: "u", ResourceVersion: "7"}, false); !test.means(err) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestTheTypeOfASecretChanges: it is made anew with what others had put into it, after the
// API server has said that it takes it.
func TestTheTypeOfASecretChanges(t *testing.T) {
	t.Parallel()
	old := stored(metav1.ObjectMeta{UID: "old", ResourceVersion: "7", ManagedFields: managedBy("tokensync", "access_token")})
	old.Labels, old.Annotations = map[string]string{"app": "x"}, map[string]string{"note": "y"}
	old.Data = map[string][]byte{"access_token": []byte("older"), "password": []byte("theirs")}
	immutable := status(http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, "type")
	made := stored(metav1.ObjectMeta{ResourceVersion: "9", ManagedFields: append(managedBy("tokensync", "access_token"), managedBy("tokensync-carried-over", "password")...)})
	store, sent := newStore(t, immutable, stored(metav1.ObjectMeta{}), old, done(), stored(metav1.ObjectMeta{}), made)

	version, err := store.Write(t.Context(), credential(), token(), &metav1.ObjectMeta{UID: "old", ResourceVersion: "7"}, false)
	if err != nil || version != "9" {
		t.Fatalf("got the version %q, %v", version, err)
	}
	rehearsal := (*sent)[1]
	rehearsal.is(t, http.MethodPost, secretsPath)
	rehearsal.hasQuery(t, "dryRun=All&fieldManager=tokensync")
	rehearsal.sends(t, desired(map[string]any{"name": nil, "generateName": "tokensync-", "ownerReferences": nil}))
	(*sent)[2].is(t, http.MethodGet, minePath)
	(*sent)[3].isDelete(t, "old", "7")
	(*sent)[4].isApply(t, "fieldManager=tokensync-carried-over")
	(*sent)[4].sends(t, map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": map[string]any{"password": "dGhlaXJz"},
		"metadata": map[string]any{
			"namespace": "web", "name": "mine", "annotations": map[string]any{"note": "y"},
			"labels": map[string]any{"app": "x", v1alpha1.LabelManagedBy: v1alpha1.ManagedByTokensync, v1alpha1.LabelCredential: "mine"},
		},
	})
	(*sent)[5].isApply(t, "fieldManager=tokensync")
	(*sent)[5].sends(t, desired(nil))
}

// TestNothingIsDeletedInVain: the requests end where the new Secret could not be made, or
// the old one is another by now, or was a stranger's.
func TestNothingIsDeletedInVain(t *testing.T) {
	t.Parallel()
	immutable := status(http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, "type")
	for name, test := range map[string]struct {
		adopted bool
		answers []any
		means   func(error) bool
	}{
		"it would be refused": {
			false,
			[]any{immutable, status(http.StatusForbidden, metav1.StatusReasonForbidden)},
			isRefused("mine", metav1.StatusReasonForbidden),
		},
		"it is another by now": {
			false,
			[]any{immutable, stored(metav1.ObjectMeta{}), stored(metav1.ObjectMeta{UID: "new"})},
			func(err error) bool { return errors.Is(err, secretstore.ErrTaken) },
		},
		"it was a stranger's": {true, []any{immutable}, isRefused("mine", metav1.StatusReasonInvalid, "type")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, _ := newStore(t, test.answers...)
			_, err := store.Write(t.Context(), credential(), token(), &metav1.ObjectMeta{UID: "old", ResourceVersion: "7"}, test.adopted)
			if !test.means(err) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	key := types.NamespacedName{Namespace: "web", Name: "mine"}
	full := stored(metav1.ObjectMeta{ResourceVersion: "7"})
	full.Data = map[string][]byte{"access_token": []byte("t0ken")}
	store, sent := newStore(t, full, status(http.StatusNotFound, metav1.StatusReasonNotFound), status(http.StatusForbidden, metav1.StatusReasonForbidden))
	if secret, err := store.Read(t.Context(), key); err != nil || string(secret.Data["access_token"]) != "t0ken" || secret.ResourceVersion != "7" {
		t.Errorf("got %v, %v", secret, err)
	}
	if secret, err := store.Read(t.Context(), key); err != nil || secret != nil {
		t.Errorf("got %v, %v of none", secret, err)
	}
	if _, err := store.Read(t.Context(), key); !apierrors.IsForbidden(err) {
		t.Errorf("got %v", err)
	}
	(*sent)[0].is(t, http.MethodGet, minePath)
	(*sent)[0].hasQuery(t, "")
}

func TestDelete(t *testing.T) {
	t.Parallel()
	seen := &metav1.ObjectMeta{Namespace: "web", Name: "mine", UID: "u", ResourceVersion: "7"}
	gone := status(http.StatusNotFound, metav1.StatusReasonNotFound)
	store, sent := newStore(t, done(), gone, status(http.StatusConflict, metav1.StatusReasonConflict))
	if err := errors.Join(store.Delete(t.Context(), seen), store.Delete(t.Context(), seen)); err != nil {
		t.Error(err)
	}
	if err := store.Delete(t.Context(), seen); !apierrors.IsConflict(err) {
		t.Errorf("got %v of another Secret", err)
	}
	(*sent)[0].isDelete(t, "u", "7")
}

func TestRelease(t *testing.T) {
	t.Parallel()
	yes := true
	owned := metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{{Kind: "OAuthCredential", UID: "uid", Controller: &yes}}}
	for name, test := range map[string]struct {
		secret  metav1.ObjectMeta
		answers []any
		method  string
	}{
		"one that goes with the credential is deleted": {owned, []any{done()}, http.MethodDelete},
		"one that was adopted loses its keys": {
			metav1.ObjectMeta{Annotations: map[string]string{v1alpha1.AnnotationAdopted: "Delete"}},
			[]any{stored(metav1.ObjectMeta{})},
			http.MethodPatch,
		},
		"one that is gone, or another by now, is let be": {
			metav1.ObjectMeta{Annotations: map[string]string{v1alpha1.AnnotationAdopted: "Delete"}},
			[]any{status(http.StatusConflict, metav1.StatusReasonConflict)},
			http.MethodPatch,
		},
		"one that is to be retained stays": {metav1.ObjectMeta{Annotations: map[string]string{v1alpha1.AnnotationAdopted: "Retain"}}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, sent := newStore(t, test.answers...)
			test.secret.Namespace, test.secret.Name = "web", "mine"
			if err := store.Release(t.Context(), &test.secret, "uid"); err != nil {
				t.Error(err)
			}
			if len(test.answers) > 0 {
				(*sent)[0].is(t, test.method, minePath)
			}
		})
	}
}

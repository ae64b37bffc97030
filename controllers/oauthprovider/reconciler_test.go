package oauthprovider

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	testclock "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/expression"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/resolve"
)

// house is what a reconciler finds and does: providers in the cache, one Secret, one
// issuer, and the statuses and events that it wrote.
type house struct {
	client.Client

	namespaced []v1alpha1.OAuthProvider
	cluster    []v1alpha1.ClusterOAuthProvider
	secret     string
	readErr    error
	hangs      bool

	written []string
	told    []string
	gone    []string
}

func (h *house) Get(_ context.Context, key client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	switch into := object.(type) {
	case *v1alpha1.OAuthProvider:
		for i := range h.namespaced {
			if client.ObjectKeyFromObject(&h.namespaced[i]) == key {
				h.namespaced[i].DeepCopyInto(into)
				return nil
			}
		}
	case *v1alpha1.ClusterOAuthProvider:
		for i := range h.cluster {
			if client.ObjectKeyFromObject(&h.cluster[i]) == key {
				h.cluster[i].DeepCopyInto(into)
				return nil
			}
		}
	}
	return apierrors.NewNotFound(schema.GroupResource{Resource: "providers"}, key.Name)
}

func (h *house) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	by := (&client.ListOptions{}).ApplyOptions(options)
	switch into := list.(type) {
	case *v1alpha1.OAuthProviderList:
		for _, provider := range h.namespaced {
			if provider.Namespace == by.Namespace {
				into.Items = append(into.Items, provider)
			}
		}
	case *v1alpha1.ClusterOAuthProviderList:
		if by.Namespace == "" {
			into.Items = h.cluster
		}
	}
	return h.readErr
}

func (h *house) Status() client.SubResourceWriter { return statusWriter{house: h} }

type statusWriter struct {
	client.SubResourceWriter

	house *house
}

func (w statusWriter) Apply(_ context.Context, applied runtime.ApplyConfiguration, _ ...client.SubResourceApplyOption) error {
	content, err := json.Marshal(applied)
	w.house.written = append(w.house.written, string(content))
	return err
}

func (h *house) Eventf(_, _ runtime.Object, kind, reason, _, _ string, _ ...any) {
	h.told = append(h.told, kind+" "+reason)
}

func (h *house) Secret(_ context.Context, namespace, name string) (*corev1.Secret, error) {
	if h.readErr != nil {
		return nil, h.readErr
	}
	if namespace+"/"+name != h.secret {
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "secrets"}, name)
	}
	return &corev1.Secret{Data: map[string][]byte{"k": []byte("v")}}, nil
}

func (h *house) ConfigMap(context.Context, string, string) (*corev1.ConfigMap, error) {
	return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "configmaps"}, "")
}

func (h *house) ServiceAccountToken(context.Context, string, v1alpha1.ServiceAccountToken) (redact.String, error) {
	return redact.String{}, errors.New("a provider asks for no token of a ServiceAccount")
}

func (h *house) Metadata(ctx context.Context, _ oauth.MetadataRequest) (*oauth.Metadata, error) {
	if h.hangs {
		<-ctx.Done()
		return nil, oauth.Abandoned(ctx.Err())
	}
	return &oauth.Metadata{TokenEndpoint: "https://as.example/token"}, nil
}

func (h *house) Forget(oauth.MetadataRequest) {}

var _ events.EventRecorder = (*house)(nil)

func (h *house) reconciler(k kind) *Reconciler {
	return &Reconciler{
		Client:            h,
		Resolver:          resolve.Resolver{Reader: h, Expressions: expression.NewCompiler(), Issuers: h, Now: func() time.Time { return noon }},
		Clock:             testclock.NewFakePassiveClock(noon),
		Events:            h,
		OperatorNamespace: "system",
		Forget:            func(name string) { h.gone = append(h.gone, name) },
		kind:              k,
	}
}

func spec(secret string) v1alpha1.OAuthProviderSpec {
	return v1alpha1.OAuthProviderSpec{
		Endpoint: v1alpha1.Endpoint{TokenURL: "https://as.example/token"},
		Client:   &v1alpha1.Client{ID: "us", SecretRef: &v1alpha1.SecretKeyReference{Name: secret, Key: "k"}},
	}
}

func named(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(namespace + name), Generation: 2}
}

func request(namespace, name string) ctrl.Request {
	return ctrl.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}
}

func TestReconcile(t *testing.T) {
	t.Parallel()
	h := &house{
		namespaced: []v1alpha1.OAuthProvider{{ObjectMeta: named("web", "p"), Spec: spec("key")}},
		cluster: []v1alpha1.ClusterOAuthProvider{{
			ObjectMeta: named("", "p"), Spec: v1alpha1.ClusterOAuthProviderSpec{OAuthProviderSpec: spec("key")},
		}},
		secret: "web/key",
	}
	ready := h.reconciler(namespaced())
	result, err := ready.Reconcile(t.Context(), request("web", "p"))
	if err != nil || result.RequeueAfter != 0 || len(h.written) != 1 || len(h.told) != 1 || h.told[0] != "Normal ProviderReady" {
		t.Fatalf("wrote %v, told %v: %v", h.written, h.told, err)
	}
	var applied v1alpha1.OAuthProvider
	if err := json.Unmarshal([]byte(h.written[0]), &applied); err != nil {
		t.Fatal(err)
	}
	if applied.Kind != "OAuthProvider" || applied.Namespace != "web" || applied.UID != "webp" || applied.ResourceVersion != "" ||
		!meta.IsStatusConditionTrue(applied.Status.Conditions, v1alpha1.ConditionReady) || applied.Spec.TokenURL != "" {
		t.Errorf("wrote %s", h.written[0])
	}
	h.namespaced[0].Status = applied.Status
	if _, err := ready.Reconcile(t.Context(), request("web", "p")); err != nil || len(h.written) != 1 || len(h.told) != 1 {
		t.Errorf("the same status is written again: %v, %v, %v", h.written, h.told, err)
	}
	h.namespaced[0].Generation++
	if _, err := ready.Reconcile(t.Context(), request("web", "p")); err != nil || len(h.written) != 2 || len(h.told) != 1 {
		t.Errorf("a status without a transition is not written, or told: %v, %v, %v", h.written, h.told, err)
	}
	// The cluster's provider of the same name looks into the operator's namespace.
	result, err = h.reconciler(cluster()).Reconcile(t.Context(), request("", "p"))
	if err != nil || result.RequeueAfter != firstLook || h.told[1] != "Warning SourceSecretMissing" {
		t.Errorf("told %v: %v", h.told, err)
	}
}

func TestReconcileWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	away := errors.New("the server is away")
	h := &house{namespaced: []v1alpha1.OAuthProvider{{ObjectMeta: named("web", "p"), Spec: spec("key")}}, readErr: away}
	if _, err := h.reconciler(namespaced()).Reconcile(t.Context(), request("web", "p")); !errors.Is(err, away) || len(h.written) != 0 {
		t.Errorf("got %v, and wrote %v", err, h.written)
	}
	if _, err := h.reconciler(cluster()).Reconcile(t.Context(), request("", "gone")); err != nil || len(h.gone) != 1 || h.gone[0] != "gone" {
		t.Errorf("got %v, and forgot %v", err, h.gone)
	}
	leaving := metav1.NewTime(noon)
	h.namespaced[0].DeletionTimestamp = &leaving
	if _, err := h.reconciler(namespaced()).Reconcile(t.Context(), request("web", "p")); err != nil || len(h.written) != 0 {
		t.Errorf("a provider that leaves is looked at: %v", err)
	}
}

// TestAnIssuerThatHangs holds up a worker for a moment only, and the next look is soon.
func TestAnIssuerThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hanging := v1alpha1.OAuthProviderSpec{Endpoint: v1alpha1.Endpoint{Issuer: "https://as.example"}}
		h := &house{namespaced: []v1alpha1.OAuthProvider{{ObjectMeta: named("web", "p"), Spec: hanging}}, hangs: true}
		began := time.Now()
		result, err := h.reconciler(namespaced()).Reconcile(t.Context(), request("web", "p"))
		if took := time.Since(began); took != patience || err != nil || result.RequeueAfter != firstLook {
			t.Errorf("it took %s, and the next look is in %s: %v", took, result.RequeueAfter, err)
		}
		if len(h.told) != 1 || h.told[0] != "Warning ProviderUnreachable" {
			t.Errorf("told %v", h.told)
		}
	})
}

func TestReadersOf(t *testing.T) {
	t.Parallel()
	withBundle := spec("key")
	withBundle.TLS = &v1alpha1.TLS{CARef: &v1alpha1.CAReference{Kind: v1alpha1.KindConfigMap, Name: "key", Key: "k"}}
	h := &house{
		namespaced: []v1alpha1.OAuthProvider{
			{ObjectMeta: named("web", "a"), Spec: spec("key")},
			{ObjectMeta: named("web", "b"), Spec: withBundle},
			{ObjectMeta: named("web", "c"), Spec: spec("another")},
			{ObjectMeta: named("other", "d"), Spec: spec("key")},
		},
		cluster: []v1alpha1.ClusterOAuthProvider{{
			ObjectMeta: named("", "e"), Spec: v1alpha1.ClusterOAuthProviderSpec{OAuthProviderSpec: spec("key")},
		}},
	}
	for name, test := range map[string]struct {
		kind      kind
		of        v1alpha1.ReferenceKind
		namespace string
		want      []string
	}{
		"a Secret":                       {namespaced(), v1alpha1.KindSecret, "web", []string{"a", "b"}},
		"a ConfigMap":                    {namespaced(), v1alpha1.KindConfigMap, "web", []string{"b"}},
		"one of another namespace":       {namespaced(), v1alpha1.KindSecret, "system", nil},
		"one of the operator":            {cluster(), v1alpha1.KindSecret, "system", []string{"e"}},
		"one of a tenant":                {cluster(), v1alpha1.KindSecret, "web", nil},
		"a ConfigMap that nobody names":  {cluster(), v1alpha1.KindConfigMap, "system", nil},
		"a Secret of the same namespace": {namespaced(), v1alpha1.KindSecret, "other", []string{"d"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			object := &metav1.PartialObjectMetadata{ObjectMeta: named(test.namespace, "key")}
			var got []string
			for _, request := range h.reconciler(test.kind).readersOf(test.of)(t.Context(), object) {
				got = append(got, request.Name)
			}
			if len(got) != len(test.want) || len(got) > 0 && got[0] != test.want[0] {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

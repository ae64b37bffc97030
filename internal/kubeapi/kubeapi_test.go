package kubeapi_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/rest"

	"github.com/tokensync/tokensync/internal/kubeapi"
)

// serve serves objects by path, in protobuf, to those who would take that.
func serve(t *testing.T, objects map[string]runtime.Object) *rest.Config {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), coordinationv1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	encoder := protobuf.NewSerializer(scheme, scheme)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Accept"); got != "application/vnd.kubernetes.protobuf,application/json" {
			t.Errorf("it takes %q", got)
		}
		object, ok := objects[r.URL.Path]
		w.Header().Set("Content-Type", "application/vnd.kubernetes.protobuf")
		if !ok {
			t.Errorf("nothing is at %s", r.URL.Path)
		}
		if status, ok := object.(*metav1.Status); ok {
			w.WriteHeader(int(status.Code))
		}
		if err := encoder.Encode(object, w); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return &rest.Config{Host: server.URL}
}

func TestCore(t *testing.T) {
	t.Parallel()
	config := serve(t, map[string]runtime.Object{
		"/api/v1/namespaces/web/secrets/mine": &corev1.Secret{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: metav1.ObjectMeta{Name: "mine"},
			Data: map[string][]byte{"key": []byte("value")},
		},
		"/api/v1/namespaces/web/secrets/none": &metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
			Status:   metav1.StatusFailure, Code: http.StatusConflict, Reason: metav1.StatusReasonAlreadyExists,
		},
	})
	core, err := kubeapi.Core(config, http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	get := func(name string) (*corev1.Secret, error) {
		secret := &corev1.Secret{}
		return secret, core.Get().Namespace("web").Resource("secrets").Name(name).Do(t.Context()).Into(secret)
	}
	if secret, err := get("mine"); err != nil || secret.Name != "mine" || string(secret.Data["key"]) != "value" {
		t.Errorf("got %v, %v", secret, err)
	}
	if _, err := get("none"); !apierrors.IsAlreadyExists(err) {
		t.Errorf("the error is %v", err)
	}
}

func TestAnotherGroup(t *testing.T) {
	t.Parallel()
	config := serve(t, map[string]runtime.Object{
		"/apis/coordination.k8s.io/v1/namespaces/web/leases/mine": &coordinationv1.Lease{
			TypeMeta: metav1.TypeMeta{APIVersion: "coordination.k8s.io/v1", Kind: "Lease"}, ObjectMeta: metav1.ObjectMeta{Name: "mine"},
		},
	})
	leases, err := kubeapi.Of(config, http.DefaultClient, coordinationv1.SchemeGroupVersion, coordinationv1.AddToScheme)
	if err != nil {
		t.Fatal(err)
	}
	lease := &coordinationv1.Lease{}
	if err := leases.Get().Namespace("web").Resource("leases").Name("mine").Do(t.Context()).Into(lease); err != nil || lease.Name != "mine" {
		t.Errorf("got %v, %v", lease, err)
	}
}

// TestTheLimitHolds: the configuration bounds the requests of this client, too, and stays
// as it was for the others that are made of it.
func TestTheLimitHolds(t *testing.T) {
	t.Parallel()
	config := &rest.Config{Host: "http://127.0.0.1:1", QPS: 3, Burst: 4}
	core, err := kubeapi.Core(config, http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	if limit := core.GetRateLimiter(); limit == nil || limit.QPS() != 3 {
		t.Errorf("the limit is %v", limit)
	}
	config.QPS = -1
	if core, err = kubeapi.Core(config, http.DefaultClient); err != nil || core.GetRateLimiter() != nil {
		t.Errorf("there is a limit where none is wanted, %v", err)
	}
	if config.GroupVersion != nil || config.APIPath != "" || config.ContentType != "" {
		t.Errorf("the configuration has become %v", config)
	}
}

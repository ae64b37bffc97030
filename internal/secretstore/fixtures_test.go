package secretstore_test

import (
	"encoding/json"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/render"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// token is what the tests publish.
func token() secretstore.Token {
	return secretstore.Token{
		Data:       render.Data{"access_token": []byte("t0ken")},
		IssuedAt:   time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		ExpiresAt:  time.Date(2026, 1, 2, 4, 4, 5, 0, time.UTC),
		InputsHash: "in",
	}
}

// managedBy are the managed fields of a Secret whose data keys are applied by a manager.
func managedBy(manager string, keys ...string) []metav1.ManagedFieldsEntry {
	fields := map[string]any{}
	for _, key := range keys {
		fields["f:"+key] = map[string]any{}
	}
	raw, err := json.Marshal(map[string]any{"f:data": fields})
	if err != nil {
		panic(err)
	}
	return []metav1.ManagedFieldsEntry{{
		Manager: manager, Operation: metav1.ManagedFieldsOperationApply, APIVersion: "v1", FieldsType: "FieldsV1",
		FieldsV1: metav1.NewFieldsV1(string(raw)),
	}}
}

// desired is the Secret of the token, as it is applied.
func desired(metadata map[string]any) map[string]any {
	published := token()
	whole := map[string]any{
		"namespace": "web", "name": "mine",
		"labels": map[string]any{v1alpha1.LabelManagedBy: v1alpha1.ManagedByTokensync, v1alpha1.LabelCredential: "mine"},
		"annotations": map[string]any{
			v1alpha1.AnnotationIssuedAt: "2026-01-02T03:04:05Z", v1alpha1.AnnotationExpiresAt: "2026-01-02T04:04:05Z",
			v1alpha1.AnnotationInputsHash: "in", v1alpha1.AnnotationDataHash: render.Hash(published.Data, published.ExpiresAt),
		},
		"ownerReferences": []any{map[string]any{
			"apiVersion": "tokensync.dev/v1alpha1", "kind": "OAuthCredential", "name": "mine", "uid": "uid", "controller": true,
		}},
	}
	for key, value := range metadata {
		whole[key] = value
		if value == nil {
			delete(whole, key)
		}
	}
	return map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": whole, "type": "Opaque", "data": map[string]any{"access_token": "dDBrZW4="},
	}
}

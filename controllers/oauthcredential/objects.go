package oauthcredential

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/resolve"
)

// ServiceAccounts asks the cluster for tokens of ServiceAccounts. An error is a
// *resolve.SpecError where the ServiceAccount or its consent is at fault.
type ServiceAccounts interface {
	Token(ctx context.Context, namespace string, ref v1alpha1.ServiceAccountToken) (redact.String, error)
}

// Objects reads what token requests are made from.
type Objects struct {
	// Client reads from the API server, never from a cache.
	Client client.Reader
	// ServiceAccounts asks for tokens of ServiceAccounts.
	ServiceAccounts ServiceAccounts
}

var _ resolve.Reader = Objects{}

// Secret implements resolve.Reader.
func (o Objects) Secret(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	err := o.Client.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, secret)
	return secret, err
}

// ConfigMap implements resolve.Reader.
func (o Objects) ConfigMap(ctx context.Context, namespace, name string) (*corev1.ConfigMap, error) {
	configMap := &corev1.ConfigMap{}
	err := o.Client.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, configMap)
	return configMap, err
}

// ServiceAccountToken implements resolve.Reader.
func (o Objects) ServiceAccountToken(ctx context.Context, namespace string, ref v1alpha1.ServiceAccountToken) (redact.String, error) {
	return o.ServiceAccounts.Token(ctx, namespace, ref)
}

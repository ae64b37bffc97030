package resolve

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// Reader reads Secrets and ConfigMaps, each whole and as it is now. A missing object
// is an error that apierrors.IsNotFound knows.
type Reader interface {
	Secret(ctx context.Context, namespace, name string) (*corev1.Secret, error)
	ConfigMap(ctx context.Context, namespace, name string) (*corev1.ConfigMap, error)
	// ServiceAccountToken asks for a token of a ServiceAccount. An error is a
	// *SpecError where the ServiceAccount or its consent is at fault.
	ServiceAccountToken(ctx context.Context, namespace string, ref v1alpha1.ServiceAccountToken) (redact.String, error)
}

// place is where a reference stands: the namespace that it is looked up in, and how
// the field is called.
type place struct {
	namespace string
	field     string
	// provider is set where the credential's owner may not see what is named.
	provider string
}

// objects reads each object once, and notes its version.
type objects struct {
	reader   Reader
	sources  []Source
	secrets  map[string]*corev1.Secret
	versions []v1alpha1.SourceVersion
}

// own is the place of a field of the credential.
func (p *Plan) own(field string) place {
	return place{namespace: p.credential.Namespace, field: "spec." + field}
}

// ofProvider is the place of a field of the endpoint.
func (p *Plan) ofProvider(field string) place {
	return place{namespace: p.providerNamespace(), field: p.providerField(field), provider: p.hidden()}
}

// ofClient is the place of a field of the client.
func (p *Plan) ofClient(field string) place {
	if p.SharesClient() {
		return p.ofProvider("client." + field)
	}
	return p.own("client." + field)
}

// key reads one key of a Secret; nothing where there is no reference.
func (o *objects) key(ctx context.Context, ref *v1alpha1.SecretKeyReference, at place) (redact.String, error) {
	if ref == nil {
		return redact.String{}, nil
	}
	secret, err := o.secret(ctx, ref.Name, at)
	if err != nil {
		return redact.String{}, err
	}
	value, err := pick(secret.Data, v1alpha1.KindSecret, ref.Name, ref.Key, at)
	return redact.New(string(value)), err
}

func (o *objects) secret(ctx context.Context, name string, at place) (*corev1.Secret, error) {
	if secret, ok := o.secrets[at.namespace+"/"+name]; ok {
		return secret, nil
	}
	secret, err := o.reader.Secret(ctx, at.namespace, name)
	if err != nil {
		return nil, o.unread(err, v1alpha1.KindSecret, name, at)
	}
	o.seen(v1alpha1.KindSecret, at.namespace, name, secret.ResourceVersion)
	if secretstore.HasPowers(secret.Type) {
		return nil, &SourceError{Kind: v1alpha1.KindSecret, Name: name, Field: at.field, Problem: Forbidden, Provider: at.provider}
	}
	o.secrets[at.namespace+"/"+name] = secret
	return secret, nil
}

// bundle reads CA certificates; nil where there is no reference.
func (o *objects) bundle(ctx context.Context, ref *v1alpha1.CAReference, at place) ([]byte, error) {
	if ref == nil {
		return nil, nil
	}
	if ref.Kind == v1alpha1.KindSecret {
		bundle, err := o.key(ctx, &v1alpha1.SecretKeyReference{Name: ref.Name, Key: ref.Key}, at)
		return []byte(bundle.Reveal()), err
	}
	configMap, err := o.reader.ConfigMap(ctx, at.namespace, ref.Name)
	if err != nil {
		return nil, o.unread(err, v1alpha1.KindConfigMap, ref.Name, at)
	}
	o.seen(v1alpha1.KindConfigMap, at.namespace, ref.Name, configMap.ResourceVersion)
	if binary, ok := configMap.BinaryData[ref.Key]; ok {
		return binary, nil
	}
	data := map[string][]byte{}
	if text, ok := configMap.Data[ref.Key]; ok {
		data[ref.Key] = []byte(text)
	}
	return pick(data, v1alpha1.KindConfigMap, ref.Name, ref.Key, at)
}

// seen records the version of an object that was read; an empty one says that it
// does not exist.
func (o *objects) seen(kind v1alpha1.ReferenceKind, namespace, name, version string) {
	for _, source := range o.sources {
		if source.Kind == kind && source.Namespace == namespace && source.Name == name {
			o.versions = append(o.versions, v1alpha1.SourceVersion{Kind: kind, Name: source.RecordedName, ResourceVersion: version})
		}
	}
}

// unread tells an object that does not exist from one that could not be read.
func (o *objects) unread(err error, kind v1alpha1.ReferenceKind, name string, at place) error {
	if !apierrors.IsNotFound(err) {
		return fmt.Errorf("read the %s %q: %w", kind, name, err)
	}
	o.seen(kind, at.namespace, name, "")
	return &SourceError{Kind: kind, Name: name, Field: at.field, Problem: NotFound, Provider: at.provider}
}

func pick(data map[string][]byte, kind v1alpha1.ReferenceKind, name, key string, at place) ([]byte, error) {
	value, ok := data[key]
	switch {
	case !ok:
		return nil, &SourceError{Kind: kind, Name: name, Key: key, Field: at.field, Problem: KeyMissing, Provider: at.provider}
	case len(value) == 0:
		return nil, &SourceError{Kind: kind, Name: name, Key: key, Field: at.field, Problem: Empty, Provider: at.provider}
	}
	return value, nil
}

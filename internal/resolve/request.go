package resolve

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// Resolved is a token request and the versions of the objects that it was made
// from. After an error the versions are those seen so far.
type Resolved struct {
	Request  oauth.Request
	Versions []v1alpha1.SourceVersion
}

// Request resolves the token request of a credential. An error is a *SourceError
// where the owner of a Secret or ConfigMap can mend it; any other error is the
// reader's.
func Request(ctx context.Context, credential *v1alpha1.OAuthCredential, reader Reader) (Resolved, error) {
	r := resolver{reader: reader, secrets: map[string]*corev1.Secret{}}
	request, err := r.request(ctx, &credential.Spec)
	request.Pool = credential.Namespace
	slices.SortFunc(r.versions, compareVersions)
	return Resolved{Request: request, Versions: r.versions}, err
}

// resolver reads each object once.
type resolver struct {
	reader   Reader
	secrets  map[string]*corev1.Secret
	versions []v1alpha1.SourceVersion
}

func (r *resolver) request(ctx context.Context, spec *v1alpha1.OAuthCredentialSpec) (oauth.Request, error) {
	request := oauth.Request{
		TokenURL:  spec.Provider.TokenURL,
		GrantType: string(spec.GrantType),
		Scopes:    spec.Scopes,
		Audiences: spec.Audiences,
		Resources: spec.Resources,
	}
	if spec.Provider.Timeout != nil {
		request.Timeout = spec.Provider.Timeout.Duration
	}
	var err error
	if request.Client, err = r.client(ctx, spec); err != nil {
		return request, err
	}
	if request.Headers, err = r.headers(ctx, spec); err != nil {
		return request, err
	}
	if request.Parameters, err = r.parameters(ctx, spec); err != nil {
		return request, err
	}
	request.CABundle, err = r.caBundle(ctx, caRef(spec))
	return request, err
}

// client resolves the client and its method: left out, the method follows from
// what the client has.
func (r *resolver) client(ctx context.Context, spec *v1alpha1.OAuthCredentialSpec) (oauth.ClientAuthentication, error) {
	authentication := spec.Provider.ClientAuthentication
	client := oauth.ClientAuthentication{
		Method:        oauth.Method(authentication.Method),
		BasicEncoding: oauth.BasicEncoding(authentication.BasicEncoding),
		ID:            spec.Client.ID,
	}
	if client.Method == "" {
		client.Method = oauth.MethodNone
		if spec.Client.SecretRef != nil {
			client.Method = oauth.MethodClientSecretBasic
		}
	}
	if spec.Client.IDRef != nil {
		id, err := r.secretKey(ctx, *spec.Client.IDRef, "spec.client.idRef")
		if err != nil {
			return client, err
		}
		client.ID = id.Reveal()
	}
	if spec.Client.SecretRef != nil {
		secret, err := r.secretKey(ctx, *spec.Client.SecretRef, "spec.client.secretRef")
		if err != nil {
			return client, err
		}
		client.Secret = secret
	}
	return client, nil
}

// headers resolves the provider's headers and those of the credential, which
// replace the provider's of the same name.
func (r *resolver) headers(ctx context.Context, spec *v1alpha1.OAuthCredentialSpec) ([]oauth.Field, error) {
	var fields []oauth.Field
	for _, header := range merge(spec.Provider.Request.Headers, spec.Request.Headers,
		func(h v1alpha1.Header) string { return strings.ToLower(h.Name) }) {
		field, err := r.field(ctx, header.Name, header.Value, header.ValueFrom, "the header "+header.Name)
		if err != nil {
			return nil, err
		}
		fields = append(fields, field)
	}
	return fields, nil
}

// parameters does for parameters what headers does for headers.
func (r *resolver) parameters(ctx context.Context, spec *v1alpha1.OAuthCredentialSpec) ([]oauth.Field, error) {
	var fields []oauth.Field
	for _, parameter := range merge(spec.Provider.Request.Parameters, spec.Request.Parameters,
		func(p v1alpha1.Parameter) string { return p.Name }) {
		field, err := r.field(ctx, parameter.Name, parameter.Value, parameter.ValueFrom, "the parameter "+redact.Message(parameter.Name))
		if err != nil {
			return nil, err
		}
		fields = append(fields, field)
	}
	return fields, nil
}

func (r *resolver) field(ctx context.Context, name string, value *string, from *v1alpha1.ValueSource, what string) (oauth.Field, error) {
	if from == nil {
		if value == nil {
			return oauth.Field{Name: name}, nil
		}
		return oauth.Field{Name: name, Value: redact.New(*value)}, nil
	}
	secret, err := r.secretKey(ctx, from.SecretKeyRef, what)
	return oauth.Field{Name: name, Value: secret}, err
}

func (r *resolver) secretKey(ctx context.Context, ref v1alpha1.SecretKeyReference, field string) (redact.String, error) {
	secret, err := r.secret(ctx, ref, field)
	if err != nil {
		return redact.String{}, err
	}
	value, err := pick(secret.Data, v1alpha1.KindSecret, ref.Name, ref.Key, field)
	return redact.New(string(value)), err
}

func (r *resolver) secret(ctx context.Context, ref v1alpha1.SecretKeyReference, field string) (*corev1.Secret, error) {
	if secret, ok := r.secrets[ref.Name]; ok {
		return secret, nil
	}
	secret, err := r.reader.Secret(ctx, ref.Name)
	if err != nil {
		return nil, r.unread(err, v1alpha1.KindSecret, ref.Name, field)
	}
	r.seen(v1alpha1.KindSecret, ref.Name, secret.ResourceVersion)
	if secretstore.HasPowers(secret.Type) {
		return nil, &SourceError{Kind: v1alpha1.KindSecret, Name: ref.Name, Field: field, Problem: Forbidden}
	}
	r.secrets[ref.Name] = secret
	return secret, nil
}

func (r *resolver) caBundle(ctx context.Context, ref *v1alpha1.CAReference) ([]byte, error) {
	const field = "spec.provider.tls.caRef"
	if ref == nil {
		return nil, nil
	}
	if ref.Kind == v1alpha1.KindSecret {
		bundle, err := r.secretKey(ctx, v1alpha1.SecretKeyReference{Name: ref.Name, Key: ref.Key}, field)
		return []byte(bundle.Reveal()), err
	}
	configMap, err := r.reader.ConfigMap(ctx, ref.Name)
	if err != nil {
		return nil, r.unread(err, v1alpha1.KindConfigMap, ref.Name, field)
	}
	r.seen(v1alpha1.KindConfigMap, ref.Name, configMap.ResourceVersion)
	if binary, ok := configMap.BinaryData[ref.Key]; ok {
		return binary, nil
	}
	data := map[string][]byte{}
	if text, ok := configMap.Data[ref.Key]; ok {
		data[ref.Key] = []byte(text)
	}
	return pick(data, v1alpha1.KindConfigMap, ref.Name, ref.Key, field)
}

// seen records the version of an object that was read; an empty one says that it
// does not exist.
func (r *resolver) seen(kind v1alpha1.ReferenceKind, name, version string) {
	r.versions = append(r.versions, v1alpha1.SourceVersion{Kind: kind, Name: name, ResourceVersion: version})
}

// unread tells an object that does not exist from one that could not be read.
func (r *resolver) unread(err error, kind v1alpha1.ReferenceKind, name, field string) error {
	if !apierrors.IsNotFound(err) {
		return fmt.Errorf("read the %s %q: %w", kind, name, err)
	}
	r.seen(kind, name, "")
	return &SourceError{Kind: kind, Name: name, Field: field, Problem: NotFound}
}

func pick(data map[string][]byte, kind v1alpha1.ReferenceKind, name, key, field string) ([]byte, error) {
	value, ok := data[key]
	switch {
	case !ok:
		return nil, &SourceError{Kind: kind, Name: name, Key: key, Field: field, Problem: KeyMissing}
	case len(value) == 0:
		return nil, &SourceError{Kind: kind, Name: name, Key: key, Field: field, Problem: Empty}
	}
	return value, nil
}

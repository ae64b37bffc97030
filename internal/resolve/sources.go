package resolve

import (
	"cmp"
	"slices"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// Source names an object that a token request is made from.
type Source struct {
	Kind      v1alpha1.ReferenceKind
	Namespace string
	Name      string
	// Client says that the object holds the client's id or key: a new version of it
	// makes the tokens got by the old one suspect.
	Client bool
	// RecordedName is its name as the credential's status has it: not the object's
	// own where the credential's owner may not see that.
	RecordedName string
}

// CredentialSources lists the objects that a credential itself refers to, in its own
// namespace.
func CredentialSources(credential *v1alpha1.OAuthCredential) []Source {
	spec := &credential.Spec
	names := clientNames(&spec.Client)
	sources := secretsOf(credential.Namespace, names, true)
	sources = append(sources, secretsOf(credential.Namespace, grantNames(spec), true)...)
	sources = append(sources, secretsOf(credential.Namespace, append(secretNames(spec.Request), exchangedNames(spec)...), false)...)
	if spec.Provider != nil {
		sources = append(sources, endpointSources(spec.Provider, credential.Namespace)...)
	}
	return unique(sources)
}

// ProviderSources lists the objects that a provider refers to.
func ProviderSources(spec *v1alpha1.OAuthProviderSpec, namespace string) []Source {
	var sources []Source
	if spec.Client != nil {
		sources = secretsOf(namespace, clientNames(spec.Client), true)
	}
	return unique(append(sources, endpointSources(&spec.Endpoint, namespace)...))
}

// Sources lists the objects that the token requests are made from, each once, in a
// stable order.
func (p *Plan) Sources() []Source {
	sources := CredentialSources(p.credential)
	if p.Provider == nil {
		return sources
	}
	for _, source := range ProviderSources(p.Provider.Spec, p.Provider.Namespace) {
		if p.Provider.isCluster() {
			source.RecordedName = "provider-" + hash([]string{string(p.Provider.UID), source.Name})
		}
		sources = append(sources, source)
	}
	return unique(sources)
}

// unique sorts sources. Of two that name one object, the one that is the client's
// comes first and stays.
func unique(sources []Source) []Source {
	rank := func(s Source) int {
		if s.Client {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(sources, func(a, b Source) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.RecordedName, b.RecordedName), cmp.Compare(rank(a), rank(b)))
	})
	return slices.CompactFunc(sources, func(a, b Source) bool { return a.Kind == b.Kind && a.RecordedName == b.RecordedName })
}

func secretsOf(namespace string, names []string, client bool) []Source {
	sources := make([]Source, 0, len(names))
	for _, name := range names {
		sources = append(sources, Source{
			Kind: v1alpha1.KindSecret, Namespace: namespace, Name: name, Client: client, RecordedName: name,
		})
	}
	return sources
}

func endpointSources(endpoint *v1alpha1.Endpoint, namespace string) []Source {
	sources := secretsOf(namespace, secretNames(endpoint.Request.RequestAdditions), false)
	if endpoint.TLS != nil && endpoint.TLS.CARef != nil {
		ca := endpoint.TLS.CARef
		sources = append(sources, Source{Kind: ca.Kind, Namespace: namespace, Name: ca.Name, RecordedName: ca.Name})
	}
	return sources
}

// clientNames are the Secrets that a client's id and key come from.
func clientNames(client *v1alpha1.Client) []string {
	names := keyNames(client.IDRef, client.SecretRef, client.PrivateKeyRef)
	if client.CertificateRef != nil {
		names = append(names, client.CertificateRef.Name)
	}
	return names
}

// grantNames are the Secrets that stand for who asks, beside the client.
func grantNames(spec *v1alpha1.OAuthCredentialSpec) []string {
	var names []string
	if spec.JWTBearer != nil {
		names = append(names, keyNames(spec.JWTBearer.PrivateKeyRef)...)
	}
	if spec.Password != nil {
		names = append(names, keyNames(spec.Password.UsernameRef, &spec.Password.PasswordRef)...)
	}
	return names
}

// exchangedNames are the Secrets with tokens that are exchanged, and with those that
// are used once. They change as a matter of course.
func exchangedNames(spec *v1alpha1.OAuthCredentialSpec) []string {
	if spec.RefreshToken != nil {
		return keyNames(&spec.RefreshToken.BootstrapRef)
	}
	if spec.TokenExchange == nil {
		return nil
	}
	names := keyNames(spec.TokenExchange.SubjectToken.SecretKeyRef)
	if actor := spec.TokenExchange.ActorToken; actor != nil {
		names = append(names, keyNames(actor.SecretKeyRef)...)
	}
	return names
}

// secretNames are the Secrets that headers and parameters come from.
func secretNames(additions v1alpha1.RequestAdditions) []string {
	var names []string
	for _, header := range additions.Headers {
		if header.ValueFrom != nil {
			names = append(names, header.ValueFrom.SecretKeyRef.Name)
		}
	}
	for _, parameter := range additions.Parameters {
		if parameter.ValueFrom != nil {
			names = append(names, parameter.ValueFrom.SecretKeyRef.Name)
		}
	}
	return names
}

func keyNames(refs ...*v1alpha1.SecretKeyReference) []string {
	var names []string
	for _, ref := range refs {
		if ref != nil {
			names = append(names, ref.Name)
		}
	}
	return names
}

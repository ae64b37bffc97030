package engine

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/manifest"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/resolve"
)

const (
	// operatorNamespace is where the Secrets of ClusterOAuthProviders are that name a
	// namespace: that of an operator as its chart installs it.
	operatorNamespace = "tokensync-system"
	// maxManifest is the most bytes that a manifest may have.
	maxManifest = 16 << 20
)

// loaded is what a manifest makes.
type loaded struct {
	content []byte
	// revision counts the changes of what is declared.
	revision   int
	credential *v1alpha1.OAuthCredential
	provider   *resolve.Provider
	plan       *resolve.Plan
	inputsHash string
	objects    *objects
}

// load makes a plan of a manifest, or says what is wrong with it.
func (e *Engine) load(ctx context.Context, content []byte) (*loaded, error) {
	l, err := e.parse(ctx, content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.options.File, err)
	}
	return l, nil
}

func (e *Engine) parse(ctx context.Context, content []byte) (*loaded, error) {
	read, err := manifest.Read(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	declared := manifest.Objects{Manifest: read, Namespace: cmp.Or(e.options.Namespace, "default"), Operator: operatorNamespace}
	credential, err := choose(declared, e.options.Credential)
	if err != nil {
		return nil, err
	}
	if err := checkSpec(&credential.Spec); err != nil {
		return nil, err
	}
	declared.Namespace = credential.Namespace
	provider, err := providerOf(ctx, declared, credential)
	if err != nil {
		return nil, err
	}
	plan, err := resolve.Join(credential, provider)
	if err != nil {
		return nil, err
	}
	if err := plan.Check(e.expressions); err != nil {
		return nil, err
	}
	return &loaded{
		content: content, credential: credential, provider: provider, plan: plan, inputsHash: plan.InputsHash(),
		objects: newObjects(declared, &e.options),
	}, nil
}

// choose chooses the credential, which may not be one whose grant has to be stored.
func choose(declared manifest.Objects, name string) (*v1alpha1.OAuthCredential, error) {
	found := declared.Credentials(name)
	switch {
	case len(found) == 0 && name == "":
		return nil, errors.New("it holds no OAuthCredential: a provider alone asks for no token")
	case len(found) == 0:
		return nil, fmt.Errorf("it holds no OAuthCredential %q: correct --credential, or leave it out where there is only one", name)
	case len(found) > 1 && name == "":
		return nil, errors.New("it holds several OAuthCredentials: name one of them with --credential")
	case len(found) > 1:
		return nil, fmt.Errorf("it holds several OAuthCredentials %q: leave one of them", name)
	}
	if credential := &found[0]; !resolve.KeepsGrant(credential) {
		return credential, nil
	}
	return nil, fmt.Errorf("the OAuthCredential %q has the grant type %s, of which a part is spent with each use and has to be stored durably, "+
		"which only the operator does: have the operator keep its Secret, and give --secret or --mount here",
		found[0].Name, redact.Message(string(found[0].Spec.GrantType)))
}

// checkSpec looks at what only the schema of the CRD forbids, and what would do harm where
// nobody checks that.
func checkSpec(spec *v1alpha1.OAuthCredentialSpec) error {
	const (
		leastPercent, mostPercent = 10, 99
		longest                   = 720 * time.Hour
	)
	refresh := spec.Refresh
	switch {
	case (spec.Provider == nil) == (spec.ProviderRef == nil):
		return errors.New("spec.provider or spec.providerRef: set one of them, and not both")
	case refresh.AfterPercent != nil && (*refresh.AfterPercent < leastPercent || *refresh.AfterPercent > mostPercent):
		return fmt.Errorf("spec.refresh.afterPercent: must be between %d and %d", leastPercent, mostPercent)
	case refresh.Before != nil && (refresh.Before.Duration < 0 || refresh.Before.Duration > longest):
		return fmt.Errorf("spec.refresh.before: must be between 0s and %s", longest)
	}
	return nil
}

// providerOf is the provider of a credential, nil where it names its endpoint itself.
func providerOf(ctx context.Context, declared manifest.Objects, credential *v1alpha1.OAuthCredential) (*resolve.Provider, error) {
	provider, err := declared.Provider(ctx, credential)
	if apierrors.IsNotFound(err) {
		ref := credential.Spec.ProviderRef
		return nil, fmt.Errorf("the %s %q is not in it: add it there, or correct spec.providerRef", ref.Kind, ref.Name)
	}
	return provider, err
}

// succeeds counts the revision on from the manifest before.
func (l *loaded) succeeds(before *loaded) {
	l.revision = before.revision
	if !equality.Semantic.DeepEqual(l.credential, before.credential) || !equality.Semantic.DeepEqual(l.provider, before.provider) {
		l.revision++
	}
}

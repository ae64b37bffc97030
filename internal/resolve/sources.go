package resolve

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// Reader reads the Secrets and ConfigMaps of one namespace, each whole and as it
// is now. A missing object is an error that apierrors.IsNotFound knows.
type Reader interface {
	Secret(ctx context.Context, name string) (*corev1.Secret, error)
	ConfigMap(ctx context.Context, name string) (*corev1.ConfigMap, error)
}

// Source names an object that a token request is made from.
type Source struct {
	Kind v1alpha1.ReferenceKind
	Name string
	// Client says that the object holds the client's id or secret: a new version
	// of it makes the tokens got by the old one suspect.
	Client bool
}

// Sources lists the objects that a credential refers to, each once, in a stable
// order.
func Sources(spec *v1alpha1.OAuthCredentialSpec) []Source {
	var sources []Source
	for _, ref := range []*v1alpha1.SecretKeyReference{spec.Client.IDRef, spec.Client.SecretRef} {
		if ref != nil {
			sources = append(sources, Source{Kind: v1alpha1.KindSecret, Name: ref.Name, Client: true})
		}
	}
	for _, additions := range []v1alpha1.RequestAdditions{spec.Provider.Request, spec.Request} {
		for _, name := range secretNames(additions) {
			sources = append(sources, Source{Kind: v1alpha1.KindSecret, Name: name})
		}
	}
	if ca := caRef(spec); ca != nil {
		sources = append(sources, Source{Kind: ca.Kind, Name: ca.Name})
	}
	// Of two that name one object, the one that is the client's comes first and stays.
	slices.SortStableFunc(sources, func(a, b Source) int {
		return strings.Compare(string(a.Kind)+"/"+a.Name, string(b.Kind)+"/"+b.Name)
	})
	return slices.CompactFunc(sources, func(a, b Source) bool { return a.Kind == b.Kind && a.Name == b.Name })
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

func caRef(spec *v1alpha1.OAuthCredentialSpec) *v1alpha1.CAReference {
	if spec.Provider.TLS == nil {
		return nil
	}
	return spec.Provider.TLS.CARef
}

// Problem is what is wrong with a source.
type Problem string

// The problems.
const (
	NotFound   Problem = "is missing"
	KeyMissing Problem = "has no such key"
	Empty      Problem = "holds nothing under that key"
	Forbidden  Problem = "may not be used"
)

// SourceError says that a value could not be had from a Secret or ConfigMap, for
// a cause that its owner can mend.
type SourceError struct {
	Kind    v1alpha1.ReferenceKind
	Name    string
	Key     string
	Field   string
	Problem Problem
}

// Error says what is wrong and what to change, in a form that stays the same
// from one attempt to the next.
func (e *SourceError) Error() string {
	switch e.Problem {
	case NotFound:
		return fmt.Sprintf("%s %q, named by %s, does not exist: create it, or correct the reference", e.Kind, e.Name, e.Field)
	case KeyMissing:
		return fmt.Sprintf("%s %q has no key %q, which %s names: add the key, or correct the reference", e.Kind, e.Name, e.Key, e.Field)
	case Empty:
		return fmt.Sprintf("%s %q holds nothing under the key %q, which %s names: fill it in", e.Kind, e.Name, e.Key, e.Field)
	case Forbidden:
		return fmt.Sprintf("Secret %q, named by %s, is of a type with powers of its own in Kubernetes and is not read: keep the value in a Secret of type Opaque", e.Name, e.Field)
	}
	return fmt.Sprintf("%s %q, named by %s, %s", e.Kind, e.Name, e.Field, e.Problem)
}

package resolve

import (
	"fmt"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// askAdministrator ends what the owner of a credential is told of a provider that only
// its administrator may look into.
const askAdministrator = ": its administrator finds more in its status"

// SpecError says that no token request can be made of a credential and its provider
// as they stand.
type SpecError struct {
	// Reason is the reason of the condition.
	Reason  string
	message string
}

// NewSpecError makes a SpecError of a reason and a message for the credential's owner.
func NewSpecError(reason, message string) *SpecError {
	return &SpecError{Reason: reason, message: message}
}

// Error says what to change. It names nothing of the provider that the credential's
// owner may not see.
func (e *SpecError) Error() string { return e.message }

func incompatible(format string, arguments ...any) *SpecError {
	return NewSpecError(v1alpha1.ReasonIncompatibleProvider, fmt.Sprintf(format, arguments...))
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
	// Provider is the provider that names the object, where the credential's owner
	// may not see which one that is; else empty.
	Provider string
}

// Error says what is wrong and what to change, in a form that stays the same
// from one attempt to the next.
func (e *SourceError) Error() string {
	if e.Provider != "" {
		return "a Secret or ConfigMap that the " + e.Provider + " names cannot be used" + askAdministrator
	}
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

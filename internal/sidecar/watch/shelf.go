package watch

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/sidecar"
)

// presence is what is known of the Secret.
type presence string

const (
	unseen  presence = ""
	present presence = "present"
	empty   presence = "empty"
	absent  presence = "absent"
	// private is a Secret that tokensync keeps for itself, such as one with a refresh token.
	private presence = "private"
)

// shelf is where the reflector puts the Secret. It keeps nothing but the set that it makes
// of it: what else a Secret carries, such as its managed fields, takes more memory.
type shelf struct {
	source *Source
	into   *sidecar.Current
}

// Add implements cache.ReflectorStore.
func (s *shelf) Add(item any) error { return s.put(item) }

// Update implements cache.ReflectorStore.
func (s *shelf) Update(item any) error { return s.put(item) }

// Delete implements cache.ReflectorStore. The last set stays.
func (s *shelf) Delete(any) error {
	s.source.is(absent)
	s.source.accepts(nil)
	return nil
}

// Replace implements cache.ReflectorStore: it is told what a list has found.
func (s *shelf) Replace(items []any, _ string) error {
	if len(items) == 0 {
		s.source.is(absent)
		s.source.accepts(nil)
		return nil
	}
	return s.put(items[0]) // There is one of that name.
}

// Resync implements cache.ReflectorStore, and has nothing to do.
func (*shelf) Resync() error { return nil }

func (s *shelf) put(item any) error {
	secret, ok := item.(*corev1.Secret)
	if !ok {
		return nil // The reflector lets nothing else through.
	}
	if secret.Labels[v1alpha1.LabelRole] != "" {
		s.source.is(private)
		return nil
	}
	s.source.mu.Lock()
	s.source.managed = secret.Labels[v1alpha1.LabelManagedBy] == v1alpha1.ManagedByTokensync && secret.Labels[v1alpha1.LabelRole] == ""
	s.source.mu.Unlock()
	set, ok := s.source.Keys.Set(secret.Data, life(secret.Annotations))
	if !ok {
		s.source.is(empty)
		s.source.accepts(secret)
		return nil
	}
	if s.source.is(present) && set.Token.IsEmpty() && secret.Labels[v1alpha1.LabelManagedBy] != v1alpha1.ManagedByTokensync {
		s.source.Log.Warn("the Secret has no key for the token, and tokensync did not write it: is it the right one?",
			"secret", s.source.Name, "namespace", s.source.Client.Namespace, "key", s.source.Keys.Token)
	}
	if s.source.accepts(secret) {
		s.into.Offer(set)
	}
	return nil
}

// accepts shows the Secret to whoever wants to see it.
func (s *Source) accepts(secret *corev1.Secret) bool {
	return s.Accepts == nil || s.Accepts(secret)
}

// is logs what has become of the Secret, where that is news, and tells whether it was.
func (s *Source) is(now presence) bool {
	s.mu.Lock()
	before := s.presence
	s.presence = now
	s.mu.Unlock()
	if now == before {
		return false
	}
	log := s.Log.With("secret", s.Name, "namespace", s.Client.Namespace)
	switch {
	case now == present:
		log.Info("the Secret was found")
	case now == private:
		log.Error("the Secret holds a grant, which is for tokensync alone: name the Secret with the token, which is spec.secret.name of the credential")
	case now == empty:
		log.Warn("the Secret holds no keys: waiting for them")
	case before == unseen:
		log.Warn("there is no such Secret yet: waiting for it")
	default:
		log.Warn("the Secret was deleted: what it held is kept until there is one again")
	}
	return true
}

// life is what the annotations of a Secret say of the token in it. A Secret that tokensync
// did not write has none, and each is taken for what it says.
func life(annotations map[string]string) lifetime.Token {
	life := lifetime.Token{
		IssuedAt:  instant(annotations[v1alpha1.AnnotationIssuedAt]),
		ExpiresAt: instant(annotations[v1alpha1.AnnotationExpiresAt]),
	}
	if !life.ExpiresAt.IsZero() && !life.IssuedAt.Before(life.ExpiresAt) {
		life.IssuedAt = time.Time{} // No token ends before it begins.
	}
	return life
}

// instant is zero where the text is none.
func instant(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

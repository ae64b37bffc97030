package integration_test

import (
	"context"
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// ready waits until a credential is ready and answers its token, from the Secret
// that its status names.
func (t *tenant) ready(ctx context.Context, name string) string {
	GinkgoHelper()
	Eventually(ctx, t.state(name)).Should(Equal(good))
	return t.tokenIn(t.credential(ctx, name).Status.SecretName)(ctx)
}

// tokenIn answers the token that a Secret holds; empty where there is none that
// the provider accepts.
func (t *tenant) tokenIn(secret string) func(context.Context) string {
	return func(ctx context.Context) string {
		s := t.secret(ctx, secret)
		if s == nil {
			return ""
		}
		token := string(s.Data[v1alpha1.KeyAccessToken])
		if _, _, ok := t.provider.Check(token); !ok {
			return ""
		}
		return token
	}
}

// replaced waits until a Secret holds another good token than the old one.
func (t *tenant) replaced(ctx context.Context, secret, old string, within time.Duration) string {
	GinkgoHelper()
	Eventually(ctx, t.tokenIn(secret)).WithTimeout(within).ShouldNot(Or(BeEmpty(), Equal(old)))
	return t.tokenIn(secret)(ctx)
}

// asked waits until a credential's token was asked for so often, and then makes
// sure that it is not asked for again.
func (t *tenant) asked(ctx context.Context, name string, times int) {
	GinkgoHelper()
	Eventually(ctx, t.requests(name)).Should(BeEquivalentTo(times), "token requests of %s", name)
	Consistently(ctx, t.requests(name)).Should(BeEquivalentTo(times), "token requests of %s", name)
}

// shape is all of a Secret that a user cares for.
type shape struct {
	UID         string
	Type        corev1.SecretType
	Labels      map[string]string
	Annotations map[string]string
	Owners      []metav1.OwnerReference
	Data        map[string]string
}

// shapeOf answers the shape of a Secret; nil where there is none.
func (t *tenant) shapeOf(name string) func(context.Context) *shape {
	return func(ctx context.Context) *shape {
		secret := t.secret(ctx, name)
		if secret == nil {
			return nil
		}
		data := map[string]string{}
		for key, value := range secret.Data {
			data[key] = string(value)
		}
		return &shape{
			UID:         string(secret.UID),
			Type:        secret.Type,
			Labels:      maps.Clone(secret.Labels),
			Annotations: maps.Clone(secret.Annotations),
			Owners:      secret.OwnerReferences,
			Data:        data,
		}
	}
}

// version answers the resourceVersion of a Secret.
func (t *tenant) version(name string) func(context.Context) string {
	return func(ctx context.Context) string {
		secret := t.secret(ctx, name)
		if secret == nil {
			return "gone"
		}
		return secret.ResourceVersion
	}
}

// consumer reads a Secret over and over, and keeps what it found wrong.
type consumer struct {
	reads  int
	bad    []string
	tokens []string
	gap    time.Duration
}

// consume reads a Secret that exists until the context ends.
func (t *tenant) consume(ctx context.Context, secret string) *consumer {
	c := &consumer{}
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return c
		case <-ticker.C:
		}
		found, asked := &corev1.Secret{}, time.Now()
		if err := controlPlane.Client.Get(ctx, t.key(secret), found); err != nil {
			if ctx.Err() == nil {
				c.bad = append(c.bad, err.Error())
			}
			continue
		}
		now := time.Now()
		c.reads, c.gap, last = c.reads+1, max(c.gap, now.Sub(last)), now
		token := string(found.Data[v1alpha1.KeyAccessToken])
		// What was good when the question was asked may have expired on the way.
		if _, expiresAt, _ := t.provider.Check(token); !asked.Before(expiresAt) {
			c.bad = append(c.bad, fmt.Sprintf("asked at %s, answered %s later: a token that expired at %s", asked, now.Sub(asked), expiresAt))
		}
		if string(found.Data[v1alpha1.KeyExpiresAt]) != found.Annotations[v1alpha1.AnnotationExpiresAt] {
			c.bad = append(c.bad, "key and annotation disagree on the expiry")
		}
		if len(c.tokens) == 0 || c.tokens[len(c.tokens)-1] != token {
			c.tokens = append(c.tokens, token)
		}
	}
}

// slow makes the provider take its time over each answer.
func (t *tenant) slow(delay time.Duration) {
	t.provider.Misbehave(standin.Behavior{Delay: delay})
}

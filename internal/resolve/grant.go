package resolve

import (
	"context"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

// addGrant adds what the grant is made of.
func (b *builder) addGrant(ctx context.Context, request *oauth.Request) error {
	spec := &b.plan.credential.Spec
	switch {
	case b.plan.KeepsGrant():
		b.grant.add(spec, request)
	case spec.JWTBearer != nil:
		return b.jwtBearer(ctx, spec.JWTBearer, request)
	case spec.TokenExchange != nil:
		return b.tokenExchange(ctx, spec.TokenExchange, request)
	case spec.Password != nil:
		return b.password(ctx, spec.Password, request)
	}
	return nil
}

// jwtBearer adds the assertion of RFC 7523 section 2.1.
func (b *builder) jwtBearer(ctx context.Context, declared *v1alpha1.JWTBearer, request *oauth.Request) error {
	if declared.ServiceAccount != nil {
		token, err := b.Reader.ServiceAccountToken(ctx, b.plan.credential.Namespace, *declared.ServiceAccount)
		request.Grant = []oauth.Field{{Name: "assertion", Value: token}}
		return err
	}
	key, err := b.privateKey(ctx, declared.PrivateKeyRef, b.plan.own("jwtBearer.privateKeyRef"))
	if err != nil {
		return err
	}
	request.Assertion = &oauth.Assertion{
		Key:       key,
		Algorithm: string(declared.Algorithm),
		KeyID:     declared.KeyID,
		Issuer:    declared.Issuer,
		Subject:   declared.Subject,
		Audience:  declared.Audience,
		Claims:    map[string]any{},
	}
	if request.Assertion.Audience == "" {
		request.Assertion.Audience = b.audience
	}
	if declared.Lifetime != nil {
		request.Assertion.Lifetime = declared.Lifetime.Duration
	}
	for _, claim := range claimExpressions(declared) {
		value, err := claim.evaluate(b.Expressions, b.variables(request.Client.ID, nil))
		if err != nil {
			return err
		}
		if value != nil {
			request.Assertion.Claims[claim.name] = value
		}
	}
	return nil
}

// tokenExchange adds the parameters of RFC 8693 section 2.1.
func (b *builder) tokenExchange(ctx context.Context, declared *v1alpha1.TokenExchange, request *oauth.Request) error {
	subject, err := b.token(ctx, &declared.SubjectToken, "tokenExchange.subjectToken.secretKeyRef")
	if err != nil {
		return err
	}
	request.Grant = []oauth.Field{
		{Name: "subject_token", Value: subject},
		{Name: "subject_token_type", Value: redact.New(declared.SubjectTokenType)},
	}
	if declared.ActorToken != nil {
		actor, err := b.token(ctx, declared.ActorToken, "tokenExchange.actorToken.secretKeyRef")
		if err != nil {
			return err
		}
		request.Grant = append(request.Grant,
			oauth.Field{Name: "actor_token", Value: actor},
			oauth.Field{Name: "actor_token_type", Value: redact.New(declared.ActorTokenType)})
	}
	if declared.RequestedTokenType != "" {
		request.Grant = append(request.Grant, oauth.Field{Name: "requested_token_type", Value: redact.New(declared.RequestedTokenType)})
	}
	return nil
}

func (b *builder) token(ctx context.Context, source *v1alpha1.TokenSource, field string) (redact.String, error) {
	if source.ServiceAccount != nil {
		return b.Reader.ServiceAccountToken(ctx, b.plan.credential.Namespace, *source.ServiceAccount)
	}
	return b.objects.key(ctx, source.SecretKeyRef, b.plan.own(field))
}

// password adds the parameters of RFC 6749 section 4.3.2.
func (b *builder) password(ctx context.Context, declared *v1alpha1.Password, request *oauth.Request) error {
	username := redact.New(declared.Username)
	var err error
	if declared.UsernameRef != nil {
		if username, err = b.objects.key(ctx, declared.UsernameRef, b.plan.own("password.usernameRef")); err != nil {
			return err
		}
	}
	password, err := b.objects.key(ctx, &declared.PasswordRef, b.plan.own("password.passwordRef"))
	request.Grant = []oauth.Field{{Name: "username", Value: username}, {Name: "password", Value: password}}
	return err
}

package oauthcredential

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// Revoker asks revocation endpoints to end tokens (RFC 7009). Every error is an
// *oauth.Error.
type Revoker interface {
	Revoke(ctx context.Context, request oauth.Request, token redact.String, hint string) error
}

// revocable is a token, and what kind it is of (RFC 7009 section 2.1).
type revocable struct {
	value redact.String
	hint  string
}

// revokeTokens revokes what a credential holds, the refresh token first: most providers
// end the access tokens with it. It answers why that failed, nil where it did not.
func (r *Reconciler) revokeTokens(ctx context.Context, credential *v1alpha1.OAuthCredential, plan *resolve.Plan, under *revocation) *issuance.Failure {
	if failed := r.readRevocable(ctx, credential, plan, under); failed != nil {
		return failed
	}
	request, ok, err := r.Resolver.Revocation(ctx, plan)
	if err != nil {
		return revocationSourceFailure(err)
	}
	if !ok {
		return &issuance.Failure{Message: "the provider has no revocation endpoint: set revocationURL in its spec, or its issuer"}
	}
	var left []revocable
	var passing *issuance.Failure
	for _, token := range under.tokens {
		if passing != nil && passing.Class == lifetime.Throttled {
			left = append(left, token)
			continue
		}
		err := r.Revoker.Revoke(ctx, request, token.value, token.hint)
		if err == nil {
			continue
		}
		if failed := issuance.TokenFailure(err); passes(failed) {
			passing, left = failed, append(left, token)
		} else {
			under.refused = failed
		}
	}
	if under.tokens = left; passing != nil {
		return passing
	}
	return under.refused
}

// readRevocable reads the tokens, once: whoever has the dependents of a credential deleted
// first leaves nothing to be read a second time.
func (r *Reconciler) readRevocable(ctx context.Context, credential *v1alpha1.OAuthCredential, plan *resolve.Plan, under *revocation) *issuance.Failure {
	if under.read {
		return nil
	}
	refreshToken, accessToken, err := r.tokensOf(ctx, credential, plan)
	if err != nil {
		return &issuance.Failure{Class: lifetime.Transient, Message: "the tokens could not be read"}
	}
	under.read, under.tokens = true, slices.DeleteFunc(
		[]revocable{{refreshToken, "refresh_token"}, {accessToken, "access_token"}},
		func(token revocable) bool { return token.value.IsEmpty() },
	)
	if len(under.tokens) == 0 {
		return &issuance.Failure{Message: "no token was found in the Secrets of the credential"}
	}
	return nil
}

// revocationSourceFailure says why no request to revoke could be made.
func revocationSourceFailure(err error) *issuance.Failure {
	told, _ := issuance.SourceFailure(err)
	if told == nil {
		return &issuance.Failure{Class: lifetime.Transient, Message: "the Secrets of the client could not be read"}
	}
	if issuer, ok := errors.AsType[*oauth.Error](err); ok && issuer.Status != 0 && passes(told) {
		// What it says itself promises to whoever wants a token that it is asked again.
		told.Message = fmt.Sprintf("the issuer, which names the revocation endpoint, could not answer (HTTP status %d)", issuer.Status)
	}
	return told
}

// tokensOf reads the tokens of a credential: from its grant where one is kept, else from
// its target where that holds the token as it is.
func (r *Reconciler) tokensOf(ctx context.Context, credential *v1alpha1.OAuthCredential, plan *resolve.Plan) (refreshToken, accessToken redact.String, err error) {
	if plan.KeepsGrant() {
		secret, err := r.store.Read(ctx, grantKey(credential))
		if err != nil || secret == nil || !holdsGrant(secret, credential) {
			return refreshToken, accessToken, err
		}
		record, err := grant.Decode(secret.Data)
		if err != nil || record.Chain == nil || record.Credential != string(credential.UID) {
			return refreshToken, accessToken, nil //nolint:nilerr // What cannot be read cannot be revoked.
		}
		if token := record.Chain.Token; token != nil {
			accessToken = token.Answer.AccessToken
		}
		return record.Chain.RefreshToken, accessToken, nil
	}
	key := types.NamespacedName{Namespace: credential.Namespace, Name: secretstore.TargetName(credential)}
	secret, err := r.store.Read(ctx, key)
	if err != nil || secret == nil {
		return refreshToken, accessToken, err
	}
	if owner, _ := secretstore.OwnerOf(&secret.ObjectMeta, credential); owner == secretstore.Us && len(credential.Spec.Secret.Data) == 0 {
		accessToken = redact.New(string(secret.Data[v1alpha1.KeyAccessToken]))
	}
	return refreshToken, accessToken, nil
}

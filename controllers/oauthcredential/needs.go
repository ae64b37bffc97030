package oauthcredential

import (
	"fmt"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// needUnreadable is the need of somebody who repairs, or gives up, what holds the grant.
const needUnreadable grant.Need = "Unreadable"

// needs tells a person what to do for a grant.
func needs(credential *v1alpha1.OAuthCredential, plan *resolve.Plan, need grant.Need) *issuance.Failure {
	secret := secretstore.GrantName(credential.Name)
	reason, happened, remedy := v1alpha1.ReasonAuthorizationRequired, "", begin(credential, plan)
	switch need {
	case grant.NeedFirst:
		happened = "nobody has logged in yet"
	case grant.NeedOtherBootstrap:
		happened = "the refresh token of spec.refreshToken.bootstrapRef was used before, and is not sent a second time"
	case grant.NeedUsable:
		happened = "the provider does not take the refresh token that the grant was to begin with"
	case grant.NeedRefused:
		reason, happened = v1alpha1.ReasonRefreshTokenLost, "the provider does not take the refresh token any more"
	case grant.NeedGone:
		reason = v1alpha1.ReasonRefreshTokenLost
		happened = fmt.Sprintf("the Secret %q is gone, and with it the refresh token", secret)
	case grant.NeedBinding:
		happened = fmt.Sprintf("the Secret %q holds the grant of another credential of this name, or of another cluster, "+
			"where it may be in use", secret)
		remedy = fmt.Sprintf("if it is not, run: kubectl annotate secret %s -n %s --overwrite %s=%s (or delete the Secret, and %s)",
			secret, credential.Namespace, v1alpha1.AnnotationGrantFor, credential.UID, remedy)
	case grant.NeedConsent:
		happened = "spec.scopes, spec.audiences or spec.resources are not those that were consented to at the last login"
	case grant.NeedClient:
		happened = "the client is not the one that the refresh token was given to"
		remedy = "put the former client ID back, or " + remedy
	case grant.NeedAgain:
		happened = "the provider gave no refresh token, and the access token ends"
	case grant.NeedCode:
		happened = "the code of the last login could not be exchanged in time"
	case grant.NeedDevice:
		happened = "the login was declined, or nobody has entered the codes"
		remedy = fmt.Sprintf("run: kubectl tokensync refresh %s -n %s (it shows a new code)", credential.Name, credential.Namespace)
	case needUnreadable:
		reason = v1alpha1.ReasonRefreshTokenLost
		happened = fmt.Sprintf("the Secret %q does not hold the grant as it was written", secret)
		remedy = "restore it, or delete it and " + remedy
	}
	return &issuance.Failure{Reason: reason, Class: lifetime.Authorization, Message: happened + ": " + remedy}
}

// begin is how a grant begins.
func begin(credential *v1alpha1.OAuthCredential, plan *resolve.Plan) string {
	login := fmt.Sprintf("run: kubectl tokensync login %s -n %s", credential.Name, credential.Namespace)
	ref := credential.Spec.RefreshToken
	if ref == nil {
		return login
	}
	bootstrap := fmt.Sprintf("put a new refresh token into the key %q of the Secret %q", ref.BootstrapRef.Key, ref.BootstrapRef.Name)
	if !plan.MayLogin() {
		return bootstrap
	}
	return bootstrap + ", or " + login
}

// approval asks a person to enter a code (RFC 8628 section 3.3).
func approval(device *grant.Device) *issuance.Failure {
	message := fmt.Sprintf("open %s and enter the code %s", device.VerificationURI, device.UserCode)
	if device.VerificationURIComplete != "" {
		message += fmt.Sprintf(" (or open %s)", device.VerificationURIComplete)
	}
	return &issuance.Failure{
		Reason: v1alpha1.ReasonAuthorizationRequired,
		Class:  lifetime.Authorization,
		Message: message + ", before " + device.ExpiresAt.UTC().Format("2006-01-02 15:04:05 MST") +
			", to let this credential act for you",
	}
}

// personal tells whether a reason waits for a person.
func personal(reason string) bool {
	return reason == v1alpha1.ReasonAuthorizationRequired || reason == v1alpha1.ReasonRefreshTokenLost
}

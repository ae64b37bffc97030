package resolve

import (
	"context"
	"slices"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

// Grant is what a request sends of a grant that is kept: at most one of RefreshToken,
// Code and DeviceCode.
type Grant struct {
	RefreshToken redact.String
	// Code, Verifier and RedirectURI are those of RFC 6749 section 4.1.3 and RFC 7636.
	Code, Verifier redact.String
	RedirectURI    string
	// DeviceCode is that of RFC 8628 section 3.4.
	DeviceCode redact.String
}

// add puts the grant into a request. What a person has consented to is not asked for
// a second time (RFC 6749 section 6).
func (g Grant) add(spec *v1alpha1.OAuthCredentialSpec, request *oauth.Request) {
	if spec.GrantType != v1alpha1.GrantRefreshToken {
		request.Scopes, request.Audiences = nil, nil
	}
	switch {
	case !g.Code.IsEmpty():
		request.GrantType = string(v1alpha1.GrantAuthorizationCode)
		request.Scopes, request.Audiences = nil, nil
		request.Grant = []oauth.Field{{Name: "code", Value: g.Code}, {Name: "redirect_uri", Value: redact.New(g.RedirectURI), Public: true}}
		if !g.Verifier.IsEmpty() {
			request.Grant = append(request.Grant, oauth.Field{Name: "code_verifier", Value: g.Verifier})
		}
	case !g.DeviceCode.IsEmpty():
		request.GrantType = string(v1alpha1.GrantDeviceCode)
		request.Scopes, request.Audiences = nil, nil
		request.Grant = []oauth.Field{{Name: "device_code", Value: g.DeviceCode}}
	default:
		request.GrantType = string(v1alpha1.GrantRefreshToken)
		request.Grant = []oauth.Field{{Name: "refresh_token", Value: g.RefreshToken}}
	}
}

// keptGrants are the grant types that a person begins, or whose refresh tokens rotate.
var keptGrants = []v1alpha1.GrantType{v1alpha1.GrantRefreshToken, v1alpha1.GrantAuthorizationCode, v1alpha1.GrantDeviceCode}

// KeepsGrant tells whether a credential's grant is kept in a Secret of its own.
func KeepsGrant(credential *v1alpha1.OAuthCredential) bool {
	return slices.Contains(keptGrants, credential.Spec.GrantType)
}

// KeepsGrant tells whether the grant is kept in a Secret of its own.
func (p *Plan) KeepsGrant() bool { return KeepsGrant(p.credential) }

// ByDevice tells whether the grant begins with a code for a person to enter.
func (p *Plan) ByDevice() bool { return p.credential.Spec.GrantType == v1alpha1.GrantDeviceCode }

// Consent is a hash of what a person is asked to consent to.
func (p *Plan) Consent() string {
	spec := &p.credential.Spec
	return hash([]any{spec.Scopes, spec.Audiences, spec.Resources})
}

// Bootstrap reads the refresh token to begin with, and the version of its Secret. Both
// are empty where the credential names none. An error is a *SourceError, or the
// reader's.
func (r Resolver) Bootstrap(ctx context.Context, plan *Plan) (value redact.String, version string, err error) {
	declared := plan.credential.Spec.RefreshToken
	if declared == nil {
		return redact.String{}, "", nil
	}
	objects := r.builder(plan, Grant{}).objects
	value, err = objects.key(ctx, &declared.BootstrapRef, plan.own("refreshToken.bootstrapRef"))
	for _, seen := range objects.versions {
		version = seen.ResourceVersion
	}
	return value, version, err
}

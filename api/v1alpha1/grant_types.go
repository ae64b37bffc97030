package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// GrantType is an OAuth grant type by its registered name, or by the name that a
// provider has given to one of its own.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=256
// +kubebuilder:validation:XValidation:rule=`!self.matches('[^!-~]')`,message="must be the name of a grant type, such as client_credentials: without space or character beyond ASCII"
type GrantType string

// The grant types with a block of their own in the spec, beside client_credentials.
const (
	// GrantClientCredentials is the grant of RFC 6749 section 4.4.
	GrantClientCredentials GrantType = "client_credentials"
	// GrantPassword is the grant of RFC 6749 section 4.3.
	GrantPassword GrantType = "password"
	// GrantRefreshToken is the grant of RFC 6749 section 6.
	GrantRefreshToken GrantType = "refresh_token"
	// GrantAuthorizationCode is the grant of RFC 6749 section 4.1.
	GrantAuthorizationCode GrantType = "authorization_code"
	// GrantDeviceCode is the grant of RFC 8628.
	GrantDeviceCode GrantType = "urn:ietf:params:oauth:grant-type:device_code"
	// GrantJWTBearer is the grant of RFC 7523 section 2.1.
	GrantJWTBearer GrantType = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	// GrantTokenExchange is the grant of RFC 8693.
	GrantTokenExchange GrantType = "urn:ietf:params:oauth:grant-type:token-exchange"
)

// JWTBearer is the assertion of the JWT bearer grant (RFC 7523 section 2.1): one
// that is signed here, or a ServiceAccount's token.
// +kubebuilder:validation:ExactlyOneOf=privateKeyRef;serviceAccount
// +kubebuilder:validation:XValidation:rule="!has(self.serviceAccount) || !(has(self.issuer) || has(self.subject) || has(self.audience) || has(self.algorithm) || has(self.keyID) || has(self.lifetime) || has(self.claims))",message="the token of a ServiceAccount is signed by the cluster: set serviceAccount.audience, and remove all else"
// +kubebuilder:validation:XValidation:rule="!has(self.algorithm) || !self.algorithm.startsWith('HS')",message="the assertion is signed with a private key, which HS256, HS384 and HS512 do not take: choose another algorithm"
type JWTBearer struct {
	// privateKeyRef names the key of a Secret that holds the private key that signs
	// the assertion, in PEM, as a JWK, or in the JSON file of a Google service
	// account.
	// +optional
	PrivateKeyRef *SecretKeyReference `json:"privateKeyRef,omitempty"`

	// serviceAccount names a ServiceAccount whose token is the assertion.
	// +optional
	ServiceAccount *ServiceAccountToken `json:"serviceAccount,omitempty"`

	// issuer is the `iss` of the assertion; the client's id when left out.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	Issuer string `json:"issuer,omitempty"`

	// subject is the `sub` of the assertion, for whom the token is. None is sent when
	// it is left out, as some providers have it where the issuer asks for itself.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	Subject string `json:"subject,omitempty"`

	// audience is the `aud` of the assertion: the provider's issuer when left out,
	// and where there is none the URL of the token endpoint.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	Audience string `json:"audience,omitempty"`

	// algorithm is how the assertion is signed. Left out, it follows from the key:
	// RS256, ES256, ES384, ES512 or EdDSA.
	// +optional
	Algorithm SigningAlgorithm `json:"algorithm,omitempty"`

	// keyID is the `kid` of the assertion; that of the key when left out, if it has
	// one.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	KeyID string `json:"keyID,omitempty"`

	// lifetime is how long an assertion is valid; 1m when left out.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=28
	// +kubebuilder:validation:Pattern=`^([0-9]{1,5}(h|m|s|ms)){1,4}$`
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') && duration(self) >= duration('10s') && duration(self) <= duration('1h')",message="must be a duration between 10s and 1h, such as 60s or 5m"
	Lifetime *metav1.Duration `json:"lifetime,omitempty"`

	// claims are further claims of the assertion, each an expression in CEL, such as
	// `"https://www.googleapis.com/auth/cloud-platform"` in quotes.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(name, name != '' && !(name in ['iss', 'sub', 'aud', 'iat', 'exp', 'jti']))",message="iss, sub, aud, iat, exp and jti are set by issuer, subject, audience and lifetime: remove them"
	Claims map[string]Expression `json:"claims,omitempty"`
}

// TokenSource is where a token comes from.
// +kubebuilder:validation:ExactlyOneOf=secretKeyRef;serviceAccount
type TokenSource struct {
	// secretKeyRef names the key of a Secret that holds the token.
	// +optional
	SecretKeyRef *SecretKeyReference `json:"secretKeyRef,omitempty"`

	// serviceAccount names a ServiceAccount whose token it is.
	// +optional
	ServiceAccount *ServiceAccountToken `json:"serviceAccount,omitempty"`
}

// TokenExchange are the parameters of the token exchange grant (RFC 8693 section
// 2.1). `scope`, `audience` and `resource` are those of the credential.
// +kubebuilder:validation:XValidation:rule="has(self.actorToken) == has(self.actorTokenType)",message="actorToken and actorTokenType belong together (RFC 8693 section 2.1): set both, or none"
type TokenExchange struct {
	// subjectToken is the token to exchange.
	// +required
	SubjectToken TokenSource `json:"subjectToken,omitempty,omitzero"`

	// subjectTokenType is its type, such as urn:ietf:params:oauth:token-type:jwt.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	SubjectTokenType string `json:"subjectTokenType,omitempty"`

	// actorToken is a token of the one who acts, where that is not the subject.
	// +optional
	ActorToken *TokenSource `json:"actorToken,omitempty"`

	// actorTokenType is the type of actorToken.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	ActorTokenType string `json:"actorTokenType,omitempty"`

	// requestedTokenType is the type of the token that is asked for; left to the
	// provider when left out.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	RequestedTokenType string `json:"requestedTokenType,omitempty"`
}

// Password are the parameters of the password grant (RFC 6749 section 4.3), for
// systems that know nothing better.
// +kubebuilder:validation:ExactlyOneOf=username;usernameRef
type Password struct {
	// username is the name of the user.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	Username string `json:"username,omitempty"`

	// usernameRef names the key of a Secret that holds the name of the user.
	// +optional
	UsernameRef *SecretKeyReference `json:"usernameRef,omitempty"`

	// passwordRef names the key of a Secret that holds the password.
	// +required
	PasswordRef SecretKeyReference `json:"passwordRef,omitempty,omitzero"`
}

// RefreshToken says where the first refresh token comes from (RFC 6749 section 6).
type RefreshToken struct {
	// bootstrapRef names the key of a Secret that holds a refresh token to begin with.
	// Each value is used once: what the provider answers in its place is kept in a
	// Secret of its own. A new value replaces the one in use as soon as the provider
	// has taken it.
	// +required
	BootstrapRef SecretKeyReference `json:"bootstrapRef,omitempty,omitzero"`
}

// AuthorizationParameter is the value of a parameter of an authorization request.
// +kubebuilder:validation:MaxLength=2048
type AuthorizationParameter string

// AuthorizationCode shapes the request to the authorization endpoint that begins a
// login (RFC 6749 section 4.1.1).
type AuthorizationCode struct {
	// redirectURI is where the browser is sent back to, as it is registered with the
	// provider: a URL of this machine's loopback interface (RFC 8252 section 7.3).
	// Without a port, any free one is taken. http://127.0.0.1/callback when left out.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^http://(127[.]0[.]0[.]1|localhost|[[]::1[]])(:[0-9]{1,5})?(/[!-~]*)?$') && !self.contains('#') && !self.contains('?')",message="must be a http:// URL of the loopback interface, such as http://127.0.0.1/callback or http://localhost:8400/callback, without query and fragment"
	RedirectURI string `json:"redirectURI,omitempty"`

	// parameters are further parameters of the authorization request, such as
	// `prompt: consent`. They replace the provider's of the same name.
	// +optional
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(name, name.matches('^[!-~]{1,256}$') && !(name in ['response_type', 'client_id', 'redirect_uri', 'scope', 'state', 'code_challenge', 'code_challenge_method']))",message="response_type, client_id, redirect_uri, scope, state, code_challenge and code_challenge_method are set by tokensync: remove them"
	Parameters map[string]AuthorizationParameter `json:"parameters,omitempty"`
}

// RevocationPolicy says whether tokens are revoked when their credential is deleted.
// +kubebuilder:validation:Enum=Never;OnDelete
type RevocationPolicy string

// The revocation policies.
const (
	// RevocationNever lets tokens run out by themselves.
	RevocationNever RevocationPolicy = "Never"
	// RevocationOnDelete revokes them when the credential is deleted (RFC 7009).
	RevocationOnDelete RevocationPolicy = "OnDelete"
)

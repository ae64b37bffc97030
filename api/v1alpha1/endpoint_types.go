package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ExpiresInUnit is the unit of the `expires_in` of an answer.
// +kubebuilder:validation:Enum=Seconds;Milliseconds;Minutes;Duration
type ExpiresInUnit string

// Lifetime says what to make of a provider's word on how long a token lives.
type Lifetime struct {
	// default is the lifetime of a token whose answer does not name one.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=28
	// +kubebuilder:validation:Pattern=`^([0-9]{1,5}(h|m|s|ms)){1,4}$`
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') && duration(self) >= duration('1s') && duration(self) <= duration('87600h')",message="must be a duration between 1s and 87600h, such as 90s or 1h30m"
	Default *metav1.Duration `json:"default,omitempty"`

	// maximum is the longest lifetime that is believed; 720h when left out.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=28
	// +kubebuilder:validation:Pattern=`^([0-9]{1,5}(h|m|s|ms)){1,4}$`
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') && duration(self) >= duration('1s') && duration(self) <= duration('87600h')",message="must be a duration between 1s and 87600h, such as 90s or 1h30m"
	Maximum *metav1.Duration `json:"maximum,omitempty"`

	// expiresInUnit is the unit of `expires_in` in the answer: Seconds when left
	// out, as RFC 6749 has it; Milliseconds; Minutes; or Duration for values such
	// as `1h` or `PT20M`.
	// +optional
	ExpiresInUnit ExpiresInUnit `json:"expiresInUnit,omitempty"`

	// refreshToken says how long a grant lives, where the answers do not.
	// +optional
	RefreshToken RefreshTokenLifetime `json:"refreshToken,omitempty,omitzero"`
}

// RefreshTokenLifetime is how long a grant lives by the provider's documentation.
// +kubebuilder:validation:MinProperties=1
type RefreshTokenLifetime struct {
	// maximum is the life of a grant from the login on, however often its refresh
	// token is used.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=28
	// +kubebuilder:validation:Pattern=`^([0-9]{1,5}(h|m|s|ms)){1,4}$`
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') && duration(self) >= duration('1m') && duration(self) <= duration('87600h')",message="must be a duration between 1m and 87600h, such as 1440h"
	Maximum *metav1.Duration `json:"maximum,omitempty"`

	// idle is how long a refresh token lives without being used.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=28
	// +kubebuilder:validation:Pattern=`^([0-9]{1,5}(h|m|s|ms)){1,4}$`
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') && duration(self) >= duration('1m') && duration(self) <= duration('87600h')",message="must be a duration between 1m and 87600h, such as 1440h"
	Idle *metav1.Duration `json:"idle,omitempty"`
}

// ReferenceKind is the kind of object that holds a piece of configuration.
// +kubebuilder:validation:Enum=Secret;ConfigMap
type ReferenceKind string

// The kinds that may hold a CA bundle.
const (
	// KindSecret is a core/v1 Secret.
	KindSecret ReferenceKind = "Secret"
	// KindConfigMap is a core/v1 ConfigMap.
	KindConfigMap ReferenceKind = "ConfigMap"
)

// CAReference names the key of a Secret or ConfigMap that holds PEM certificates.
type CAReference struct {
	// kind is the kind of the object.
	// +required
	Kind ReferenceKind `json:"kind,omitempty"`

	// name is the name of the object.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="must be the name of a Secret or ConfigMap: lower-case letters, digits, '-' and '.'"
	Name string `json:"name,omitempty"`

	// key is the key in the object's data.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	Key string `json:"key,omitempty"`
}

// TLS says whom to trust at the token endpoint.
// +kubebuilder:validation:MinProperties=1
type TLS struct {
	// caRef names the CA certificates, in PEM, that the endpoint's certificate must
	// chain to. The system's are used when left out.
	// +optional
	CARef *CAReference `json:"caRef,omitempty"`
}

// EndpointURL is the URL of an endpoint. It may be a template of RFC 6570 level 1,
// such as https://login.example.com/{tenant}/token, in an OAuthProvider or a
// ClusterOAuthProvider.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=2048
// +kubebuilder:validation:XValidation:rule="self.matches('^([^{}]|[{][A-Za-z_][A-Za-z0-9_]{0,62}[}])*$')",message="may hold braces only as a template such as {tenant}: letters, digits and '_' between them"
// +kubebuilder:validation:XValidation:rule="!self.matches('^[^/]*[{]')",message="may hold no template before the host: begin with https://"
// +kubebuilder:validation:XValidation:rule="isURL(self.replace('{', \"\").replace('}', \"\")) && url(self.replace('{', \"\").replace('}', \"\")).getScheme() in ['https', 'http'] && url(self.replace('{', \"\").replace('}', \"\")).getHostname() != \"\"",message="must be an absolute https:// URL with a host, such as https://login.example.com/oauth/token"
// +kubebuilder:validation:XValidation:rule="!self.matches('[[:space:]]')",message="may hold no white space"
// +kubebuilder:validation:XValidation:rule="!self.contains('#')",message="may hold no fragment: remove the '#' and what follows it"
// +kubebuilder:validation:XValidation:rule="!self.matches('^[^/?#]*//[^/?#]*@')",message="may hold no user name or password: they belong into client"
type EndpointURL string

// TokenReissue is what a new token means for the one before.
// +kubebuilder:validation:Enum=Independent;Same;Replaces
type TokenReissue string

// The ways of providers with tokens that are asked for again.
const (
	// ReissueIndependent lets tokens live side by side.
	ReissueIndependent TokenReissue = "Independent"
	// ReissueSame answers the same token until it expires.
	ReissueSame TokenReissue = "Same"
	// ReissueReplaces ends the old token with each new one.
	ReissueReplaces TokenReissue = "Replaces"
)

// Endpoint is a token endpoint and its ways.
// +kubebuilder:validation:ExactlyOneOf=tokenURL;issuer
type Endpoint struct {
	// tokenURL is the URL of the token endpoint. `http://` is taken by the schema,
	// and refused by the operator unless it runs with --allow-insecure-http.
	// +optional
	TokenURL EndpointURL `json:"tokenURL,omitempty"`

	// issuer is the issuer identifier of the authorization server, whose metadata
	// name the endpoints (RFC 8414, OpenID Connect Discovery). They must name the
	// very same issuer.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.contains('?')",message="may hold no query (RFC 8414 section 2): remove the '?' and what follows it"
	Issuer EndpointURL `json:"issuer,omitempty"`

	// authorizationURL is the URL of the authorization endpoint, for grants that a
	// person starts; discovered with issuer.
	// +optional
	AuthorizationURL EndpointURL `json:"authorizationURL,omitempty"`

	// authorizationParameters are further parameters of requests to the authorization
	// endpoint, such as `access_type: offline`.
	// +optional
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(name, name.matches('^[!-~]{1,256}$') && !(name in ['response_type', 'client_id', 'redirect_uri', 'scope', 'state', 'code_challenge', 'code_challenge_method']))",message="response_type, client_id, redirect_uri, scope, state, code_challenge and code_challenge_method are set by tokensync: remove them"
	AuthorizationParameters map[string]AuthorizationParameter `json:"authorizationParameters,omitempty"`

	// deviceAuthorizationURL is the URL of the device authorization endpoint
	// (RFC 8628); discovered with issuer.
	// +optional
	DeviceAuthorizationURL EndpointURL `json:"deviceAuthorizationURL,omitempty"`

	// revocationURL is the URL of the revocation endpoint (RFC 7009); discovered
	// with issuer.
	// +optional
	RevocationURL EndpointURL `json:"revocationURL,omitempty"`

	// clientAuthentication says how the client authenticates.
	// +optional
	ClientAuthentication ClientAuthentication `json:"clientAuthentication,omitempty,omitzero"`

	// request shapes the token request.
	// +optional
	Request ProviderRequest `json:"request,omitempty,omitzero"` //nolint:kubeapilinter // An empty struct says the same as none.

	// response says how to read the answer, where it is not that of RFC 6749.
	// +optional
	Response Response `json:"response,omitempty,omitzero"`

	// lifetime says what to make of the answer's word on the token's life.
	// +optional
	Lifetime Lifetime `json:"lifetime,omitempty,omitzero"`

	// tokenReissue is what a new token means for the one before: Independent when
	// left out, where tokens live side by side; Same, where the same token is
	// answered until it expires; Replaces, where a new token ends the old one at
	// once. The last two are asked for late in the life of a token.
	// +optional
	TokenReissue TokenReissue `json:"tokenReissue,omitempty"`

	// timeout is the time that one token request may take, its answer included;
	// 30s when left out.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=28
	// +kubebuilder:validation:Pattern=`^([0-9]{1,5}(h|m|s|ms)){1,4}$`
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') && duration(self) >= duration('1s') && duration(self) <= duration('5m')",message="must be a duration between 1s and 5m, such as 30s or 1m30s"
	Timeout *metav1.Duration `json:"timeout,omitempty"`

	// tls says whom to trust at the endpoint.
	// +optional
	TLS *TLS `json:"tls,omitempty"`
}

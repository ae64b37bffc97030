package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ClientAuthenticationMethod is how a client proves its identity at the token
// endpoint, by its registered name.
// +kubebuilder:validation:Enum=client_secret_basic;client_secret_post;none
type ClientAuthenticationMethod string

// The client authentication methods of RFC 6749 section 2.3 and OpenID Connect
// Core section 9.
const (
	// ClientSecretBasic sends id and secret in the Authorization header.
	ClientSecretBasic ClientAuthenticationMethod = "client_secret_basic"
	// ClientSecretPost sends id and secret in the body.
	ClientSecretPost ClientAuthenticationMethod = "client_secret_post"
	// ClientAuthenticationNone sends at most the id.
	ClientAuthenticationNone ClientAuthenticationMethod = "none"
)

// BasicEncoding is how id and secret are encoded before they are joined for
// HTTP Basic.
// +kubebuilder:validation:Enum=FormURLEncoded;Raw
type BasicEncoding string

// The encodings of HTTP Basic credentials.
const (
	// FormURLEncoded encodes both as RFC 6749 section 2.3.1 demands.
	FormURLEncoded BasicEncoding = "FormURLEncoded"
	// Raw joins them as they are, which many providers expect.
	Raw BasicEncoding = "Raw"
)

// ClientAuthentication says how the client authenticates.
// +kubebuilder:validation:XValidation:rule="!has(self.basicEncoding) || !has(self.method) || self.method == 'client_secret_basic'",message="basicEncoding is only for the method client_secret_basic: remove it, or change the method"
type ClientAuthentication struct {
	// method is the registered name of the client authentication method. Left out,
	// it follows from the client: client_secret_basic where the client has a
	// secret, none where it has not.
	// +optional
	Method ClientAuthenticationMethod `json:"method,omitempty"`

	// basicEncoding is how client_secret_basic encodes id and secret:
	// FormURLEncoded, as RFC 6749 has it, when left out; Raw for the providers that
	// do not decode. The two differ only where id or secret hold characters other
	// than letters, digits, `-`, `.`, `_` and `*`.
	// +optional
	BasicEncoding BasicEncoding `json:"basicEncoding,omitempty"`
}

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

// Endpoint is a token endpoint and its ways.
type Endpoint struct {
	// tokenURL is the URL of the token endpoint. `http://` is taken by the schema,
	// and refused by the operator unless it runs with --allow-insecure-http.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['https', 'http'] && url(self).getHostname() != ''",message="must be an absolute https:// URL with a host, such as https://login.example.com/oauth/token"
	// +kubebuilder:validation:XValidation:rule="!self.matches('[[:space:]]')",message="may hold no white space"
	// +kubebuilder:validation:XValidation:rule="!self.contains('#')",message="may hold no fragment: remove the '#' and what follows it"
	// +kubebuilder:validation:XValidation:rule="!self.contains('{') && !self.contains('}')",message="may hold no template: write the URL out"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^[^/?#]*//[^/?#]*@')",message="may hold no user name or password: they belong into client"
	TokenURL string `json:"tokenURL,omitempty"`

	// clientAuthentication says how the client authenticates.
	// +optional
	ClientAuthentication ClientAuthentication `json:"clientAuthentication,omitempty,omitzero"`

	// request adds to the token request.
	// +optional
	Request RequestAdditions `json:"request,omitempty,omitzero"`

	// lifetime says what to make of the answer's word on the token's life.
	// +optional
	Lifetime Lifetime `json:"lifetime,omitempty,omitzero"`

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

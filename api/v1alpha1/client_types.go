package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ClientAuthenticationMethod is how a client proves its identity at the token
// endpoint, by its registered name.
// +kubebuilder:validation:Enum=client_secret_basic;client_secret_post;client_secret_jwt;private_key_jwt;tls_client_auth;self_signed_tls_client_auth;none
type ClientAuthenticationMethod string

// The client authentication methods of RFC 6749 section 2.3, OpenID Connect Core
// section 9 and RFC 8705 section 2.
const (
	// ClientSecretBasic sends id and secret in the Authorization header.
	ClientSecretBasic ClientAuthenticationMethod = "client_secret_basic"
	// ClientSecretPost sends id and secret in the body.
	ClientSecretPost ClientAuthenticationMethod = "client_secret_post"
	// ClientSecretJWT sends an assertion that is keyed with the secret.
	ClientSecretJWT ClientAuthenticationMethod = "client_secret_jwt"
	// PrivateKeyJWT sends an assertion that is signed with a private key, or one
	// that the cluster signed for a ServiceAccount.
	PrivateKeyJWT ClientAuthenticationMethod = "private_key_jwt"
	// TLSClientAuth presents a certificate that a CA vouches for.
	TLSClientAuth ClientAuthenticationMethod = "tls_client_auth"
	// SelfSignedTLSClientAuth presents a certificate that the provider knows.
	SelfSignedTLSClientAuth ClientAuthenticationMethod = "self_signed_tls_client_auth"
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

// SigningAlgorithm is a JWS algorithm by its registered name (RFC 7518 section 3.1,
// RFC 8037 section 3.1).
// +kubebuilder:validation:Enum=RS256;RS384;RS512;PS256;PS384;PS512;ES256;ES384;ES512;EdDSA;HS256;HS384;HS512
type SigningAlgorithm string

// ClientAssertion shapes the assertion of client_secret_jwt and private_key_jwt
// (RFC 7523 section 3).
type ClientAssertion struct {
	// audience is the `aud` of the assertion: the issuer when left out, and where
	// there is none the URL of the token endpoint.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	Audience string `json:"audience,omitempty"`

	// algorithm is how the assertion is signed. Left out, it follows from the key:
	// RS256, ES256, ES384, ES512 or EdDSA; HS256 for client_secret_jwt.
	// +optional
	Algorithm SigningAlgorithm `json:"algorithm,omitempty"`

	// keyID is the `kid` of the assertion; that of the JWK when left out, if it has
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
}

// ClientAuthentication says how the client authenticates.
// +kubebuilder:validation:XValidation:rule="!has(self.assertion) || !has(self.method) || self.method in ['client_secret_jwt', 'private_key_jwt']",message="assertion is only for the methods client_secret_jwt and private_key_jwt: remove it, or change the method"
// +kubebuilder:validation:XValidation:rule="!has(self.basicEncoding) || !has(self.method) || self.method == 'client_secret_basic'",message="basicEncoding is only for the method client_secret_basic: remove it, or change the method"
// +kubebuilder:validation:XValidation:rule="!has(self.assertion) || !has(self.assertion.algorithm) || !has(self.method) || (self.method == 'client_secret_jwt') == self.assertion.algorithm.startsWith('HS')",message="client_secret_jwt is signed by HS256, HS384 or HS512, and private_key_jwt by one of the others: change the algorithm or the method"
type ClientAuthentication struct {
	// method is the registered name of the client authentication method. Left out,
	// it follows from the client's key: client_secret_basic for a secretRef,
	// private_key_jwt for a privateKeyRef or a serviceAccount, tls_client_auth for a
	// certificateRef, and none without a key.
	// +optional
	Method ClientAuthenticationMethod `json:"method,omitempty"`

	// basicEncoding is how client_secret_basic encodes id and secret:
	// FormURLEncoded, as RFC 6749 has it, when left out; Raw for the providers that
	// do not decode. The two differ only where id or secret hold characters other
	// than letters, digits, `-`, `.`, `_` and `*`.
	// +optional
	BasicEncoding BasicEncoding `json:"basicEncoding,omitempty"`

	// assertion shapes the assertion of client_secret_jwt and private_key_jwt.
	// +optional
	Assertion *ClientAssertion `json:"assertion,omitempty"`
}

// Client is the OAuth client that asks for tokens.
// +kubebuilder:validation:AtMostOneOf=id;idRef
// +kubebuilder:validation:AtMostOneOf=secretRef;privateKeyRef;certificateRef;serviceAccount
// +kubebuilder:validation:XValidation:rule="!(has(self.secretRef) || has(self.privateKeyRef) || has(self.certificateRef)) || has(self.id) || has(self.idRef)",message="a client with a secretRef, privateKeyRef or certificateRef needs an id or an idRef"
// +kubebuilder:validation:XValidation:rule="!has(self.authentication) || !has(self.authentication.method) || (self.authentication.method.startsWith('client_secret_') ? has(self.secretRef) : self.authentication.method == 'private_key_jwt' ? has(self.privateKeyRef) || has(self.certificateRef) || has(self.serviceAccount) : self.authentication.method == 'none' ? !has(self.secretRef) && !has(self.privateKeyRef) && !has(self.certificateRef) && !has(self.serviceAccount) : has(self.certificateRef))",message="the client's key does not fit its authentication method: client_secret_basic, client_secret_post and client_secret_jwt need secretRef; private_key_jwt needs privateKeyRef, certificateRef or serviceAccount; tls_client_auth and self_signed_tls_client_auth need certificateRef; none takes no key"
// +kubebuilder:validation:XValidation:rule="!has(self.authentication) || !has(self.authentication.basicEncoding) || self.authentication.basicEncoding != 'Raw' || !has(self.id) || !self.id.contains(':')",message="an id with a colon cannot be sent with basicEncoding Raw: choose FormURLEncoded"
type Client struct {
	// id is the client identifier.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="!self.matches('[[:cntrl:]]')",message="must be one line without control characters"
	ID string `json:"id,omitempty"`

	// idRef names the key of a Secret that holds the client identifier.
	// +optional
	IDRef *SecretKeyReference `json:"idRef,omitempty"`

	// secretRef names the key of a Secret that holds the client secret.
	// +optional
	SecretRef *SecretKeyReference `json:"secretRef,omitempty"`

	// privateKeyRef names the key of a Secret that holds the client's private key,
	// in PEM or as a JWK.
	// +optional
	PrivateKeyRef *SecretKeyReference `json:"privateKeyRef,omitempty"`

	// certificateRef names a Secret of the type kubernetes.io/tls with the client's
	// certificate and private key. It is read anew for every request.
	// +optional
	CertificateRef *SecretReference `json:"certificateRef,omitempty"`

	// serviceAccount names a ServiceAccount of the credential's namespace whose
	// token is the client's assertion, so that no secret exists at all.
	// +optional
	ServiceAccount *ServiceAccountToken `json:"serviceAccount,omitempty"`

	// authentication says how this client authenticates, in place of the provider's
	// clientAuthentication.
	// +optional
	Authentication ClientAuthentication `json:"authentication,omitempty,omitzero"`
}

// SecretReference names a Secret.
type SecretReference struct {
	// name is the name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="must be the name of a Secret: lower-case letters, digits, '-' and '.'"
	Name string `json:"name,omitempty"`
}

// ServiceAccountToken asks the cluster for a token of a ServiceAccount in the
// credential's namespace. The ServiceAccount consents by its annotation
// tokensync.dev/audiences, which lists the audiences that it may be used for.
type ServiceAccountToken struct {
	// name is the name of the ServiceAccount.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="must be the name of a ServiceAccount: lower-case letters, digits, '-' and '.'"
	Name string `json:"name,omitempty"`

	// audience is the `aud` of the token: what the provider expects, such as
	// api://AzureADTokenExchange. It may not be one of the cluster's own.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	Audience string `json:"audience,omitempty"`

	// expirationSeconds is how long the token is valid, in seconds; 600 when left
	// out, which is the least that Kubernetes allows.
	// +optional
	// +kubebuilder:validation:Minimum=600
	// +kubebuilder:validation:Maximum=86400
	ExpirationSeconds *int64 `json:"expirationSeconds,omitempty"`
}

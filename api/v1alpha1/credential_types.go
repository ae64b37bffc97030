package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Refresh says when to replace a token.
type Refresh struct {
	// afterPercent is the share of a token's life, in percent, after which it is
	// replaced; 67 when left out. Up to 5 percent of the life is taken off, so that
	// credentials do not all refresh at once.
	// +optional
	// +kubebuilder:validation:Minimum=10
	// +kubebuilder:validation:Maximum=99
	AfterPercent *int32 `json:"afterPercent,omitempty"`

	// before is the least distance to the expiry at which a token is replaced. One
	// that is longer than the token's life has no effect.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=28
	// +kubebuilder:validation:Pattern=`^([0-9]{1,5}(h|m|s|ms)){1,4}$`
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') && duration(self) >= duration('0s') && duration(self) <= duration('720h')",message="must be a duration between 0s and 720h, such as 90s or 1h30m"
	Before *metav1.Duration `json:"before,omitempty"`
}

// DeletionPolicy says what becomes of the target Secret when its credential is
// deleted.
// +kubebuilder:validation:Enum=Delete;Retain
type DeletionPolicy string

// The deletion policies.
const (
	// DeletionPolicyDelete deletes the Secret with its credential, by owner reference.
	DeletionPolicyDelete DeletionPolicy = "Delete"
	// DeletionPolicyRetain leaves the Secret where it is.
	DeletionPolicyRetain DeletionPolicy = "Retain"
)

// LabelValue is the value of a Kubernetes label.
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:Pattern=`^([A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?)?$`
// +kubebuilder:validation:XValidation:rule="!format.labelValue().validate(self).hasValue()",message="must be the value of a label: letters, digits, '-', '_' and '.', with a letter or digit at either end"
type LabelValue string

// AnnotationValue is the value of a Kubernetes annotation.
// +kubebuilder:validation:MaxLength=4096
type AnnotationValue string

// TargetSecret is the Secret that a credential keeps fresh.
type TargetSecret struct {
	// name is the name of the Secret; the credential's own name when left out.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="must be the name of a Secret: lower-case letters, digits, '-' and '.'"
	Name string `json:"name,omitempty"`

	// type is the type of the Secret; Opaque when left out. A changed type makes
	// the Secret anew, because Kubernetes does not let it change.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!(self in ['kubernetes.io/service-account-token', 'bootstrap.kubernetes.io/token']) && !self.startsWith('helm.sh/')",message="a Secret of this type has powers of its own and cannot be written: choose another type, or none for Opaque"
	Type string `json:"type,omitempty"`

	// labels are put on the Secret. Keys under kubernetes.io, k8s.io, helm.sh and
	// tokensync.dev are not for credentials to set.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, !format.qualifiedName().validate(k).hasValue())",message="each key must be that of a Kubernetes label, such as example.com/team or team"
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.matches('^([^/]*[.])?(kubernetes[.]io|k8s[.]io|helm[.]sh|tokensync[.]dev)/'))",message="no key may be under kubernetes.io, k8s.io, helm.sh or tokensync.dev, which give a Secret powers: use a domain of your own"
	Labels map[string]LabelValue `json:"labels,omitempty"`

	// annotations are put on the Secret. Keys under kubernetes.io, k8s.io, helm.sh
	// and tokensync.dev are not for credentials to set.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, !format.qualifiedName().validate(k).hasValue())",message="each key must be that of a Kubernetes annotation, such as example.com/team or team"
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.matches('^([^/]*[.])?(kubernetes[.]io|k8s[.]io|helm[.]sh|tokensync[.]dev)/'))",message="no key may be under kubernetes.io, k8s.io, helm.sh or tokensync.dev, which give a Secret powers: use a domain of your own"
	Annotations map[string]AnnotationValue `json:"annotations,omitempty"`

	// data are the keys of the Secret, each an expression in CEL over `token`,
	// `client` and `credential`, such as `"Bearer " + token.access_token`. They
	// replace the keys access_token, token_type, expires_at and scope.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.matches('^[-._a-zA-Z0-9]{1,253}$') && k != '.' && !k.startsWith('..'))",message="each key must be one of a Secret: letters, digits, '-', '_' and '.'"
	Data map[string]Expression `json:"data,omitempty"`

	// adoptExisting lets the credential take over a Secret that exists already.
	// Such a Secret is never deleted; only the keys of tokensync are removed.
	// +optional
	AdoptExisting bool `json:"adoptExisting,omitempty"`

	// deletionPolicy says what becomes of the Secret when the credential is
	// deleted: Delete or Retain.
	// +optional
	// +default="Delete"
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// ProviderKind is the kind of a provider.
// +kubebuilder:validation:Enum=OAuthProvider;ClusterOAuthProvider
type ProviderKind string

// The kinds of providers.
const (
	// KindOAuthProvider is a provider in the credential's namespace.
	KindOAuthProvider ProviderKind = "OAuthProvider"
	// KindClusterOAuthProvider is a provider for many namespaces.
	KindClusterOAuthProvider ProviderKind = "ClusterOAuthProvider"
)

// ProviderReference names a provider.
type ProviderReference struct {
	// kind is OAuthProvider or ClusterOAuthProvider.
	// +optional
	// +default="OAuthProvider"
	Kind ProviderKind `json:"kind,omitempty"`

	// name is the name of the provider.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="must be the name of a provider: lower-case letters, digits, '-' and '.'"
	Name string `json:"name,omitempty"`

	// variables are the values for the templates in the provider's URLs. They may
	// not be empty, begin with a dot, or hold anything but letters, digits, '.',
	// '_', '~' and '-'.
	// +optional
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(name, name.matches('^[A-Za-z_][A-Za-z0-9_]{0,62}$'))",message="each name must be that of a variable: letters, digits and '_', at most 63"
	Variables map[string]VariableValue `json:"variables,omitempty"`
}

// OAuthCredentialSpec declares a token: where it comes from, and the Secret that
// holds it.
// +kubebuilder:validation:ExactlyOneOf=provider;providerRef
// +kubebuilder:validation:XValidation:rule="!has(self.grantType) || (self.grantType == 'password') == has(self.password)",message="the grant type password and the block password belong together: set both, or none"
// +kubebuilder:validation:XValidation:rule="!has(self.grantType) || (self.grantType == 'urn:ietf:params:oauth:grant-type:jwt-bearer') == has(self.jwtBearer)",message="the grant type urn:ietf:params:oauth:grant-type:jwt-bearer and the block jwtBearer belong together: set both, or none"
// +kubebuilder:validation:XValidation:rule="!has(self.grantType) || (self.grantType == 'urn:ietf:params:oauth:grant-type:token-exchange') == has(self.tokenExchange)",message="the grant type urn:ietf:params:oauth:grant-type:token-exchange and the block tokenExchange belong together: set both, or none"
// +kubebuilder:validation:XValidation:rule="!has(self.grantType) || (self.grantType == 'refresh_token') == has(self.refreshToken)",message="the grant type refresh_token and the block refreshToken belong together: set both, or none"
// +kubebuilder:validation:XValidation:rule="!has(self.grantType) || self.grantType == 'authorization_code' || !has(self.authorizationCode)",message="the block authorizationCode belongs to the grant type authorization_code: set that, or remove the block"
// +kubebuilder:validation:XValidation:rule="!has(self.provider) || (has(self.client) && has(self.client.authentication) && (has(self.client.authentication.method) || has(self.client.authentication.basicEncoding) || has(self.client.authentication.assertion))) || !has(self.provider.clientAuthentication) || !has(self.provider.clientAuthentication.method) || (self.provider.clientAuthentication.method == 'none' && !has(self.client) || has(self.client) && (self.provider.clientAuthentication.method.startsWith('client_secret_') ? has(self.client.secretRef) : self.provider.clientAuthentication.method == 'private_key_jwt' ? has(self.client.privateKeyRef) || has(self.client.certificateRef) || has(self.client.serviceAccount) : self.provider.clientAuthentication.method == 'none' ? !has(self.client.secretRef) && !has(self.client.privateKeyRef) && !has(self.client.certificateRef) && !has(self.client.serviceAccount) : has(self.client.certificateRef)))",message="the client's key does not fit its authentication method: client_secret_basic, client_secret_post and client_secret_jwt need secretRef; private_key_jwt needs privateKeyRef, certificateRef or serviceAccount; tls_client_auth and self_signed_tls_client_auth need certificateRef; none takes no key"
// +kubebuilder:validation:XValidation:rule="!(has(self.provider) || (has(self.client) && has(self.client.authentication) && (has(self.client.authentication.method) || has(self.client.authentication.basicEncoding) || has(self.client.authentication.assertion)))) || !((has(self.request) && has(self.request.headers) && self.request.headers.exists(h, h.name.lowerAscii() == 'authorization')) || (has(self.provider) && has(self.provider.request) && has(self.provider.request.headers) && self.provider.request.headers.exists(h, h.name.lowerAscii() == 'authorization'))) || [has(self.client) && has(self.client.authentication) && (has(self.client.authentication.method) || has(self.client.authentication.basicEncoding) || has(self.client.authentication.assertion)) ? (has(self.client.authentication.method) ? self.client.authentication.method : \"\") : (has(self.provider) && has(self.provider.clientAuthentication) && has(self.provider.clientAuthentication.method) ? self.provider.clientAuthentication.method : \"\")].all(method, method == \"\" ? !has(self.client) || !has(self.client.secretRef) : method != 'client_secret_basic')",message="client_secret_basic sends the header Authorization itself: remove it from request.headers, or choose another clientAuthentication.method"
// +kubebuilder:validation:XValidation:rule="!has(self.provider) || (has(self.client) && has(self.client.authentication) && (has(self.client.authentication.method) || has(self.client.authentication.basicEncoding) || has(self.client.authentication.assertion))) || !has(self.provider.clientAuthentication) || !has(self.provider.clientAuthentication.basicEncoding) || self.provider.clientAuthentication.basicEncoding != 'Raw' || !has(self.client) || !has(self.client.id) || !self.client.id.contains(':')",message="an id with a colon cannot be sent with basicEncoding Raw: choose FormURLEncoded"
type OAuthCredentialSpec struct {
	// provider is the token endpoint, where no other credential shares it.
	// +optional
	// +kubebuilder:validation:XValidation:rule="[has(self.tokenURL) ? self.tokenURL : '', has(self.issuer) ? self.issuer : '', has(self.authorizationURL) ? self.authorizationURL : '', has(self.deviceAuthorizationURL) ? self.deviceAuthorizationURL : '', has(self.revocationURL) ? self.revocationURL : ''].all(u, !u.contains('{'))",message="a provider that is written inline may hold no template in a URL: write the URL out, or use a providerRef with variables"
	Provider *Endpoint `json:"provider,omitempty"`

	// providerRef names the provider, where credentials share it.
	// +optional
	ProviderRef *ProviderReference `json:"providerRef,omitempty"`

	// grantType is the OAuth grant type.
	// +optional
	// +default="client_credentials"
	GrantType GrantType `json:"grantType,omitempty"`

	// refreshToken says where the first refresh token of the grant type refresh_token
	// comes from.
	// +optional
	RefreshToken *RefreshToken `json:"refreshToken,omitempty"`

	// authorizationCode shapes the login of the grant type authorization_code, which
	// begins with `kubectl tokensync login`.
	// +optional
	AuthorizationCode *AuthorizationCode `json:"authorizationCode,omitempty"`

	// jwtBearer is the assertion of the grant type
	// urn:ietf:params:oauth:grant-type:jwt-bearer.
	// +optional
	JWTBearer *JWTBearer `json:"jwtBearer,omitempty"`

	// tokenExchange are the parameters of the grant type
	// urn:ietf:params:oauth:grant-type:token-exchange.
	// +optional
	TokenExchange *TokenExchange `json:"tokenExchange,omitempty"`

	// password are the parameters of the grant type password.
	// +optional
	Password *Password `json:"password,omitempty"`

	// client is the OAuth client that asks for tokens, unless the provider has one.
	// +optional
	Client Client `json:"client,omitempty,omitzero"`

	// scopes are the scopes to ask for, in the order in which they are sent.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=2048
	// +kubebuilder:validation:items:Pattern=`^[!#-\[\]-~]+$`
	// +kubebuilder:validation:items:XValidation:rule=`!self.matches('[^!#-\\[\\]-~]')`,message="may hold no space, quote, backslash or character beyond ASCII: make each scope an item of its own"
	Scopes []string `json:"scopes,omitempty"`

	// audiences are sent as `audience`, each once.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=2048
	Audiences []string `json:"audiences,omitempty"`

	// resources are sent as `resource`, each once (RFC 8707).
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=2048
	Resources []string `json:"resources,omitempty"`

	// request adds to the token request. An entry replaces the provider's entry of
	// the same name whole.
	// +optional
	Request RequestAdditions `json:"request,omitempty,omitzero"`

	// refresh says when to replace the token.
	// +optional
	Refresh Refresh `json:"refresh,omitempty,omitzero"`

	// secret is the Secret that holds the token.
	// +optional
	Secret TargetSecret `json:"secret,omitempty,omitzero"`

	// revocationPolicy says whether the tokens are revoked at the provider when the
	// credential is deleted (RFC 7009): Never or OnDelete. Some providers withdraw the
	// person's consent with the token.
	// +optional
	// +default="Never"
	RevocationPolicy RevocationPolicy `json:"revocationPolicy,omitempty"`

	// suspend holds all token requests back while it is true. The Secret stays as
	// it is, and the token in it runs out.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// LastFailure is the failure that the operator is working against.
type LastFailure struct {
	// time is when it happened last.
	// +required
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$`
	Time metav1.Time `json:"time,omitempty,omitzero"`

	// firstTime is when the row of failures began.
	// +required
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$`
	FirstTime metav1.Time `json:"firstTime,omitempty,omitzero"`

	// reason is one of the reasons of the Ready condition.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Reason string `json:"reason,omitempty"`

	// message says what happened and what to do.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`

	// count is how often it happened in a row.
	// +required
	// +kubebuilder:validation:Minimum=1
	Count int32 `json:"count,omitempty"`
}

// SourceVersion is the version of a Secret or ConfigMap at the last token request.
type SourceVersion struct {
	// kind is the kind of the object.
	// +required
	Kind ReferenceKind `json:"kind,omitempty"`

	// name is the name of the object.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// resourceVersion is the object's version, left out where it did not exist.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	ResourceVersion string `json:"resourceVersion,omitempty"`
}

// SecretOrigin tells who made a target Secret.
// +kubebuilder:validation:Enum=Created;Adopted
type SecretOrigin string

// The origins of a target Secret.
const (
	// SecretCreated was made by its credential.
	SecretCreated SecretOrigin = "Created"
	// SecretAdopted existed before.
	SecretAdopted SecretOrigin = "Adopted"
)

// GrantStatus is what is known of the Secret in which a grant is kept that a person
// has started, or whose refresh tokens rotate.
// +kubebuilder:validation:MinProperties=1
type GrantStatus struct {
	// resourceVersion is the version of that Secret which was looked at last.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	ResourceVersion string `json:"resourceVersion,omitempty"`

	// warnAfter is from when on the end of the refresh token counts as near.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$`
	WarnAfter *metav1.Time `json:"warnAfter,omitempty"`

	// useBy is when the refresh token is to be used at the latest, where its end moves on
	// with each use.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$`
	UseBy *metav1.Time `json:"useBy,omitempty"`

	// chain identifies the row of refresh tokens of which each came with the one
	// before.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Chain string `json:"chain,omitempty"`

	// bootstrapHash is a keyed hash of the value of refreshToken.bootstrapRef that was
	// used last.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	BootstrapHash string `json:"bootstrapHash,omitempty"`

	// bootstrapResourceVersion is the version of the Secret of refreshToken.bootstrapRef
	// that was looked at last.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	BootstrapResourceVersion string `json:"bootstrapResourceVersion,omitempty"`
}

// OAuthCredentialStatus is what the operator reports about a credential.
type OAuthCredentialStatus struct {
	// conditions are Ready, Reconciling and Stalled, and RefreshTokenExpiring where the
	// end of the refresh token is known.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:XValidation:rule="self.all(c, c.lastTransitionTime >= timestamp('0001-01-01T00:00:00Z'))",message="each lastTransitionTime must be an instant of RFC 3339, in upper case"
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// secretName is the name of the Secret that holds the token.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	SecretName string `json:"secretName,omitempty"`

	// secretResourceVersion is the version of that Secret which was seen to hold
	// what was written; another one is looked at again.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	SecretResourceVersion string `json:"secretResourceVersion,omitempty"`

	// secretOrigin tells a Secret that the credential created from one that it took
	// over, which is never deleted.
	// +optional
	SecretOrigin SecretOrigin `json:"secretOrigin,omitempty"`

	// issuedAt is when the token was asked for.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$`
	IssuedAt *metav1.Time `json:"issuedAt,omitempty"`

	// expiresAt is when the token expires, left out where that is not known.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$`
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`

	// refreshAt is when the next token will be asked for.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$`
	RefreshAt *metav1.Time `json:"refreshAt,omitempty"`

	// refreshTokenExpiresAt is when the refresh token expires, and with it the grant:
	// a person has to log in before. Left out where that is not known.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$`
	RefreshTokenExpiresAt *metav1.Time `json:"refreshTokenExpiresAt,omitempty"`

	// grant is what is known of the grant, where one is kept.
	// +optional
	Grant *GrantStatus `json:"grant,omitempty"`

	// lastFailure is the failure that the operator is working against, left out
	// while all is well.
	// +optional
	LastFailure *LastFailure `json:"lastFailure,omitempty"`

	// lastRefreshRequest is the value of the annotation
	// tokensync.dev/refresh-requested-at that was handled last.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	LastRefreshRequest string `json:"lastRefreshRequest,omitempty"`

	// sources are the versions of the Secrets and ConfigMaps that the last token
	// request was made from.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=260
	Sources []SourceVersion `json:"sources,omitempty"`
}

// OAuthCredential declares an OAuth token that a Secret always holds fresh.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=oauthcred,categories=tokensync
// +kubebuilder:selectablefield:JSONPath=`.spec.providerRef.name`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Expires",type=string,JSONPath=`.status.expiresAt`
// +kubebuilder:printcolumn:name="Refresh",type=string,JSONPath=`.status.refreshAt`
// +kubebuilder:printcolumn:name="Secret",type=string,JSONPath=`.status.secretName`
// +kubebuilder:printcolumn:name="Provider",type=string,priority=1,JSONPath=`.spec.providerRef.name`
// +kubebuilder:printcolumn:name="Token URL",type=string,priority=1,JSONPath=`.spec.provider.tokenURL`
// +kubebuilder:printcolumn:name="Grant",type=string,priority=1,JSONPath=`.spec.grantType`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63",message="the name of a credential becomes a label: at most 63 characters"
type OAuthCredential struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard metadata of an object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec declares the token.
	// +required
	Spec OAuthCredentialSpec `json:"spec,omitempty,omitzero"`

	// status reports on the token.
	// +optional
	// +default={"observedGeneration": -1}
	Status OAuthCredentialStatus `json:"status,omitempty,omitzero"`
}

// OAuthCredentialList is a list of credentials.
// +kubebuilder:object:root=true
type OAuthCredentialList struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard metadata of a list.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty,omitzero"`

	// items are the credentials.
	// +required
	Items []OAuthCredential `json:"items"`
}

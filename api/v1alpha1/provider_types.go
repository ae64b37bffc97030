package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Limits bound the token requests to a provider, across all its credentials.
// +kubebuilder:validation:XValidation:rule="has(self.requests) == has(self.period)",message="requests and period belong together, as in 10 per 1s: set both, or none"
// +kubebuilder:validation:XValidation:rule="!has(self.burst) || has(self.requests)",message="burst is only for requests per period: set both of those, or remove it"
type Limits struct {
	// maxConcurrentRequests is how many token requests may be under way at a time;
	// 10 when left out.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	MaxConcurrentRequests *int32 `json:"maxConcurrentRequests,omitempty"`

	// requests is how many token requests the provider takes per period. There is
	// no bound when left out.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	Requests *int32 `json:"requests,omitempty"`

	// period is the time that requests count for.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=28
	// +kubebuilder:validation:Pattern=`^([0-9]{1,5}(h|m|s|ms)){1,4}$`
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') && duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="must be a duration between 1s and 24h, such as 1s or 1h"
	Period *metav1.Duration `json:"period,omitempty"`

	// burst is how many requests may go out at once after a quiet time; 1 when left
	// out.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	Burst *int32 `json:"burst,omitempty"`
}

// Allowed lists what credentials may ask for with a client that the provider holds.
// A list that is left out allows nothing.
type Allowed struct {
	// scopes are the scopes that may be asked for.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=2048
	// +kubebuilder:validation:items:Pattern=`^[!#-\[\]-~]+$`
	// +kubebuilder:validation:items:XValidation:rule=`!self.matches('[^!#-\\[\\]-~]')`,message="may hold no space, quote, backslash or character beyond ASCII: make each scope an item of its own"
	Scopes []string `json:"scopes,omitempty"`

	// audiences are the audiences that may be asked for.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=2048
	Audiences []string `json:"audiences,omitempty"`

	// resources are the resources that may be asked for.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=2048
	Resources []string `json:"resources,omitempty"`

	// grantTypes are the grant types that may be used: client_credentials alone when
	// left out.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	GrantTypes []GrantType `json:"grantTypes,omitempty"`

	// variables are the values that each variable of a URL may have.
	// +optional
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(name, name.matches('^[A-Za-z_][A-Za-z0-9_]{0,62}$'))",message="each name must be that of a variable: letters, digits and '_', at most 63"
	Variables map[string]VariableValues `json:"variables,omitempty"` //nolint:kubeapilinter // It mirrors providerRef.variables.
}

// VariableValues are the values that a variable may have.
// +listType=set
// +kubebuilder:validation:MaxItems=256
type VariableValues []VariableValue

// VariableValue is what stands in a URL for a variable.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_~-][A-Za-z0-9._~-]*$`
// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_~-][A-Za-z0-9._~-]*$')",message="must be one piece of a URL: letters, digits, '-', '_', '~' and '.', and no '.' at its beginning"
type VariableValue string

// OAuthProviderSpec is a provider that many credentials may share: its endpoint, and
// perhaps the client that they all use.
// +kubebuilder:validation:XValidation:rule="!has(self.client) || !has(self.client.serviceAccount)",message="client.serviceAccount is for credentials only: a ServiceAccount speaks for its own namespace"
// +kubebuilder:validation:XValidation:rule="!(has(self.client) || (has(self.request) && ((has(self.request.headers) && self.request.headers.exists(h, has(h.valueFrom))) || (has(self.request.parameters) && self.request.parameters.exists(p, has(p.valueFrom)))))) || [has(self.tokenURL) ? self.tokenURL : \"\", has(self.issuer) ? self.issuer : \"\", has(self.authorizationURL) ? self.authorizationURL : \"\", has(self.deviceAuthorizationURL) ? self.deviceAuthorizationURL : \"\", has(self.revocationURL) ? self.revocationURL : \"\"].all(u, !u.matches('^[^/]*//[^/?]*[{]'))",message="a provider that holds a secret may have no template in the host of a URL, where a credential could steer the secret elsewhere: write the host out"
// +kubebuilder:validation:XValidation:rule="!has(self.allowed) || has(self.client) || (has(self.request) && ((has(self.request.headers) && self.request.headers.exists(h, has(h.valueFrom))) || (has(self.request.parameters) && self.request.parameters.exists(p, has(p.valueFrom)))))",message="allowed is only for a provider that holds a secret, by client or by a valueFrom in its request: remove it"
// +kubebuilder:validation:XValidation:rule="!has(self.client) || (has(self.client.authentication) && (has(self.client.authentication.method) || has(self.client.authentication.basicEncoding) || has(self.client.authentication.assertion))) || !has(self.clientAuthentication) || !has(self.clientAuthentication.method) || (self.clientAuthentication.method.startsWith('client_secret_') ? has(self.client.secretRef) : self.clientAuthentication.method == 'private_key_jwt' ? has(self.client.privateKeyRef) || has(self.client.certificateRef) || has(self.client.serviceAccount) : self.clientAuthentication.method == 'none' ? !has(self.client.secretRef) && !has(self.client.privateKeyRef) && !has(self.client.certificateRef) && !has(self.client.serviceAccount) : has(self.client.certificateRef))",message="the client's key does not fit its authentication method: client_secret_basic, client_secret_post and client_secret_jwt need secretRef; private_key_jwt needs privateKeyRef, certificateRef or serviceAccount; tls_client_auth and self_signed_tls_client_auth need certificateRef; none takes no key"
// +kubebuilder:validation:XValidation:rule="!has(self.client) || (has(self.client.authentication) && (has(self.client.authentication.method) || has(self.client.authentication.basicEncoding) || has(self.client.authentication.assertion))) || !has(self.clientAuthentication) || !has(self.clientAuthentication.basicEncoding) || self.clientAuthentication.basicEncoding != 'Raw' || !has(self.client.id) || !self.client.id.contains(':')",message="an id with a colon cannot be sent with basicEncoding Raw: choose FormURLEncoded"
// +kubebuilder:validation:XValidation:rule="!has(self.client) || !has(self.request) || !has(self.request.headers) || !self.request.headers.exists(h, h.name.lowerAscii() == 'authorization') || [has(self.client.authentication) && (has(self.client.authentication.method) || has(self.client.authentication.basicEncoding) || has(self.client.authentication.assertion)) ? (has(self.client.authentication.method) ? self.client.authentication.method : \"\") : (has(self.clientAuthentication) && has(self.clientAuthentication.method) ? self.clientAuthentication.method : \"\")].all(method, method == \"\" ? !has(self.client.secretRef) : method != 'client_secret_basic')",message="client_secret_basic sends the header Authorization itself: remove it from request.headers, or choose another clientAuthentication.method"
type OAuthProviderSpec struct {
	Endpoint `json:",inline"`

	// client is the client that all credentials of this provider use. They get
	// tokens by it, within what allowed lists, and never see its secret.
	// +optional
	Client *Client `json:"client,omitempty"`

	// allowed lists what credentials may ask for where the provider holds a secret.
	// +optional
	Allowed *Allowed `json:"allowed,omitempty"`

	// allowedAuthorities are hosts, with their port if they have one, where endpoints
	// that the issuer's metadata name may be, beside the issuer's own host. It
	// matters where the provider holds a secret.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=259
	// +kubebuilder:validation:items:Pattern=`^[^/?#@{}\s]+$`
	// +kubebuilder:validation:items:XValidation:rule=`self.matches(r"^[^/?#@{}\s]+$")`,message="must be a host, with its port if it has one, such as login.example.com or login.example.com:8443: without scheme and path"
	AllowedAuthorities []string `json:"allowedAuthorities,omitempty"`

	// limits bound the token requests to this provider.
	// +optional
	Limits *Limits `json:"limits,omitempty"`
}

// ClusterOAuthProviderSpec is a provider for the credentials of many namespaces.
// +kubebuilder:validation:XValidation:rule="has(self.allowedNamespaces) || !(has(self.client) || (has(self.request) && ((has(self.request.headers) && self.request.headers.exists(h, has(h.valueFrom))) || (has(self.request.parameters) && self.request.parameters.exists(p, has(p.valueFrom))))))",message="a provider that holds a secret must say who may use it: set allowedNamespaces, to {} for all namespaces"
type ClusterOAuthProviderSpec struct {
	OAuthProviderSpec `json:",inline"`

	// allowedNamespaces selects, by their labels, the namespaces whose credentials
	// may use this provider; {} selects all, and so does leaving it out where the
	// provider holds no secret.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!has(self.matchExpressions) || self.matchExpressions.all(e, e.operator in ['In', 'NotIn'] ? has(e.values) && e.values.size() > 0 : e.operator in ['Exists', 'DoesNotExist'] && !(has(e.values) && e.values.size() > 0))",message="each operator must be In or NotIn, with values, or Exists or DoesNotExist, without values"
	AllowedNamespaces *metav1.LabelSelector `json:"allowedNamespaces,omitempty"`
}

// ProviderStatus is what the operator reports about a provider.
type ProviderStatus struct {
	// conditions are Ready, Reconciling and Stalled.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:XValidation:rule="self.all(c, c.lastTransitionTime >= timestamp('0001-01-01T00:00:00Z'))",message="each lastTransitionTime must be an instant of RFC 3339, in upper case"
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// tokenURL is the URL of the token endpoint that the issuer's metadata name.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	TokenURL string `json:"tokenURL,omitempty"`
}

// OAuthProvider is a provider for the credentials of its namespace.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=tokensync
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Token URL",type=string,JSONPath=`.spec.tokenURL`
// +kubebuilder:printcolumn:name="Issuer",type=string,JSONPath=`.spec.issuer`
// +kubebuilder:printcolumn:name="Method",type=string,priority=1,JSONPath=`.spec.clientAuthentication.method`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63",message="the name of a provider is a label of metrics: at most 63 characters"
type OAuthProvider struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard metadata of an object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec describes the provider.
	// +required
	Spec OAuthProviderSpec `json:"spec,omitempty,omitzero"`

	// status reports on the provider.
	// +optional
	// +default={"observedGeneration": -1}
	Status ProviderStatus `json:"status,omitempty,omitzero"`
}

// OAuthProviderList is a list of providers.
// +kubebuilder:object:root=true
type OAuthProviderList struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard metadata of a list.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty,omitzero"`

	// items are the providers.
	// +required
	Items []OAuthProvider `json:"items"`
}

// ClusterOAuthProvider is a provider for the credentials of many namespaces.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,categories=tokensync
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Token URL",type=string,JSONPath=`.spec.tokenURL`
// +kubebuilder:printcolumn:name="Issuer",type=string,JSONPath=`.spec.issuer`
// +kubebuilder:printcolumn:name="Method",type=string,priority=1,JSONPath=`.spec.clientAuthentication.method`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63",message="the name of a provider is a label of metrics: at most 63 characters"
type ClusterOAuthProvider struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard metadata of an object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec describes the provider.
	// +required
	Spec ClusterOAuthProviderSpec `json:"spec,omitempty,omitzero"`

	// status reports on the provider.
	// +optional
	// +default={"observedGeneration": -1}
	Status ProviderStatus `json:"status,omitempty,omitzero"`
}

// ClusterOAuthProviderList is a list of providers.
// +kubebuilder:object:root=true
type ClusterOAuthProviderList struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard metadata of a list.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty,omitzero"`

	// items are the providers.
	// +required
	Items []ClusterOAuthProvider `json:"items"`
}

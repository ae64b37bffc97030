package v1alpha1

// SecretKeyReference names one key of a Secret: in the credential's
// namespace, or in that of the provider that names it.
type SecretKeyReference struct {
	// name is the name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="must be the name of a Secret: lower-case letters, digits, '-' and '.'"
	Name string `json:"name,omitempty"`

	// key is the key in the Secret's data.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	Key string `json:"key,omitempty"`
}

// ValueSource is where a value comes from.
type ValueSource struct {
	// secretKeyRef names the key of a Secret that holds the value.
	// +required
	SecretKeyRef SecretKeyReference `json:"secretKeyRef,omitempty,omitzero"`
}

// Header is a header of the token request.
// +kubebuilder:validation:AtMostOneOf=value;valueFrom
// +kubebuilder:validation:AtLeastOneOf=value;valueFrom;expression
type Header struct {
	// name is the name of the header.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[-!#$%&'*+.^_|~0-9A-Za-z]+$`
	// +kubebuilder:validation:XValidation:rule=`self.matches(r"^[-!#$%&'*+.^_|~0-9A-Za-z]+$")`,message="must be the name of a header, such as X-Api-Key: without space or colon"
	// +kubebuilder:validation:XValidation:rule="!(self.lowerAscii() in ['host', 'content-length', 'content-type', 'transfer-encoding', 'connection', 'keep-alive', 'te', 'trailer', 'upgrade', 'expect', 'http2-settings', 'accept-encoding']) && !self.lowerAscii().startsWith('proxy-')",message="belongs to the connection or the body, which tokensync takes care of: remove this header"
	Name string `json:"name,omitempty"`

	// value is the value as it is sent.
	// +optional
	// +kubebuilder:validation:MinLength=0
	// +kubebuilder:validation:MaxLength=8192
	// +kubebuilder:validation:Pattern=`^[^\x00-\x08\x0a-\x1f\x7f-\x9f]*$`
	// +kubebuilder:validation:XValidation:rule=`!self.matches('[\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]')`,message="must be one line without control characters (a block scalar of YAML ends with a line break, unless it begins with '|-' or '>-')"
	Value *string `json:"value,omitempty"`

	// valueFrom names where the value is kept.
	// +optional
	ValueFrom *ValueSource `json:"valueFrom,omitempty"`

	// expression makes what is sent, in CEL. `value` in it is what stands beside it:
	// `"Bearer " + value`.
	// +optional
	Expression Expression `json:"expression,omitempty"`
}

// Parameter is a parameter of the token request.
// +kubebuilder:validation:AtMostOneOf=value;valueFrom
// +kubebuilder:validation:AtLeastOneOf=value;valueFrom;expression
type Parameter struct {
	// name is the name of the parameter. One of a standard parameter replaces it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="!(self.lowerAscii() in ['client_secret', 'client_assertion', 'refresh_token'])",message="is a secret that tokensync sends itself (client_secret from client.secretRef) and cannot be set: remove this parameter"
	Name string `json:"name,omitempty"`

	// value is the value as it is sent.
	// +optional
	// +kubebuilder:validation:MinLength=0
	// +kubebuilder:validation:MaxLength=8192
	Value *string `json:"value,omitempty"`

	// valueFrom names where the value is kept.
	// +optional
	ValueFrom *ValueSource `json:"valueFrom,omitempty"`

	// expression makes what is sent, in CEL. `value` in it is what stands beside it:
	// `"Bearer " + value`.
	// +optional
	Expression Expression `json:"expression,omitempty"`
}

// RequestAdditions adds headers and parameters to a token request.
type RequestAdditions struct {
	// headers are sent with the token request.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:XValidation:rule="self.all(a, self.exists_one(b, a.name.lowerAscii() == b.name.lowerAscii()))",message="names must be unique, whatever their case"
	Headers []Header `json:"headers,omitempty"`

	// parameters are sent with the token request, beside those of the grant.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Parameters []Parameter `json:"parameters,omitempty"`
}

// BodyFormat is how the parameters of a token request are sent.
// +kubebuilder:validation:Enum=Form;JSON;Query;None
type BodyFormat string

// The formats of a token request.
const (
	// BodyForm sends a form, as RFC 6749 demands.
	BodyForm BodyFormat = "Form"
	// BodyJSON sends a JSON object.
	BodyJSON BodyFormat = "JSON"
	// BodyQuery sends the parameters in the URL.
	BodyQuery BodyFormat = "Query"
	// BodyNone sends no parameters.
	BodyNone BodyFormat = "None"
)

// RequestMethod is the HTTP method of a token request.
// +kubebuilder:validation:Enum=POST;PUT;GET
type RequestMethod string

// ProviderRequest shapes the token request.
// +kubebuilder:validation:XValidation:rule="!has(self.method) || self.method != 'GET' || (has(self.bodyFormat) && self.bodyFormat in ['Query', 'None'])",message="a GET has no body: set bodyFormat to Query or None"
type ProviderRequest struct {
	// method is the HTTP method; POST when left out.
	// +optional
	Method RequestMethod `json:"method,omitempty"`

	// bodyFormat is how the parameters are sent: Form when left out, as RFC 6749
	// demands; JSON; Query, which puts them into the URL; or None, which sends none.
	// +optional
	BodyFormat BodyFormat `json:"bodyFormat,omitempty"`

	// scopeSeparator stands between scopes; a space when left out.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8
	ScopeSeparator string `json:"scopeSeparator,omitempty"`

	// omitParameters are standard parameters that this endpoint does not want, such
	// as grant_type.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=256
	OmitParameters []string `json:"omitParameters,omitempty"`

	RequestAdditions `json:",inline"`
}

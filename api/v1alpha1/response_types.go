package v1alpha1

// Expression is an expression in CEL (https://cel.dev).
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=2048
type Expression string

// Response says how to read the answer of a token endpoint. Each field is an
// expression over `status` (a number), `headers` (by lower-case name) and `body`.
// A path that the answer does not have means that the value is absent. What is left
// out is read as RFC 6749 has it.
type Response struct {
	// succeeded tells whether a 2xx answer brings a token, as in `body.ok`. Left
	// out, it does where it has an access token.
	// +optional
	Succeeded Expression `json:"succeeded,omitempty"`

	// accessToken is the access token; `body.access_token` when left out.
	// +optional
	AccessToken Expression `json:"accessToken,omitempty"`

	// tokenType is the type of the token; `body.token_type` when left out.
	// +optional
	TokenType Expression `json:"tokenType,omitempty"`

	// expiresIn is how long the token lives, in lifetime.expiresInUnit;
	// `body.expires_in` when left out.
	// +optional
	ExpiresIn Expression `json:"expiresIn,omitempty"`

	// expiresAt is when the token expires, as RFC 3339, an HTTP date or a Unix time.
	// jwt(token) has the claims of a token that is a JWT: `jwt(body.access_token).exp`.
	// +optional
	ExpiresAt Expression `json:"expiresAt,omitempty"`

	// issuedAt is when the token was issued, by the provider's clock. With both, it
	// is their difference to expiresAt that counts.
	// +optional
	IssuedAt Expression `json:"issuedAt,omitempty"`

	// refreshToken is the refresh token; `body.refresh_token` when left out.
	// +optional
	RefreshToken Expression `json:"refreshToken,omitempty"`

	// refreshTokenExpiresIn is how long the refresh token lives, in seconds;
	// `body.refresh_token_expires_in` when left out.
	// +optional
	RefreshTokenExpiresIn Expression `json:"refreshTokenExpiresIn,omitempty"`

	// scope is the granted scope; `body.scope` when left out.
	// +optional
	Scope Expression `json:"scope,omitempty"`

	// error is the error code of a failure; `body.error` when left out.
	// +optional
	Error Expression `json:"error,omitempty"`

	// errorDescription says more of a failure; `body.error_description` when left
	// out.
	// +optional
	ErrorDescription Expression `json:"errorDescription,omitempty"`

	// extra are further values, by the name under which secret.data finds them in
	// `token`.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(name, name.matches('^[A-Za-z_][A-Za-z0-9_]{0,62}$'))",message="each name must be that of a variable: letters, digits and '_', at most 63"
	// +kubebuilder:validation:XValidation:rule="self.all(name, !(name in ['access_token', 'token_type', 'expires_at', 'scope', 'raw']))",message="access_token, token_type, expires_at, scope and raw are there already: use another name"
	Extra map[string]Expression `json:"extra,omitempty"`
}

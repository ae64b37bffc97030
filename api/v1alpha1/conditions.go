package v1alpha1

// The condition types of an OAuthCredential. They follow kstatus, so that
// `kubectl wait --for=condition=Ready` and Flux understand them unaided.
const (
	// ConditionReady is true while the Secret holds a token for the current spec
	// that has not expired. A failing refresh does not change it while the token
	// is good.
	ConditionReady = "Ready"
	// ConditionReconciling is true while the first token, or one for a changed
	// spec, is being fetched.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is true while nothing more happens without a person.
	ConditionStalled = "Stalled"
	// ConditionRefreshTokenExpiring is true from two weeks before the refresh token
	// ends. It is there only where that instant is known.
	ConditionRefreshTokenExpiring = "RefreshTokenExpiring"
)

// The reasons of conditions and events. Each is documented, with what to do, in
// docs/troubleshooting.md.
const (
	// ReasonTokenIssued says that the Secret holds a good token.
	ReasonTokenIssued = "TokenIssued"
	// ReasonRequestingToken says that a token is being asked for.
	ReasonRequestingToken = "RequestingToken"
	// ReasonSuspended says that spec.suspend holds all token requests back.
	ReasonSuspended = "Suspended"
	// ReasonTokenExpired says that the token ran out before a new one came.
	ReasonTokenExpired = "TokenExpired"
	// ReasonProviderUnreachable covers failed dials and TLS handshakes, time-outs
	// and 5xx answers.
	ReasonProviderUnreachable = "ProviderUnreachable"
	// ReasonRateLimited says that the provider asked to be left alone for a while.
	ReasonRateLimited = "RateLimited"
	// ReasonProviderRejected carries the OAuth error code of the provider.
	ReasonProviderRejected = "ProviderRejected"
	// ReasonInvalidResponse says that the answer could not be used.
	ReasonInvalidResponse = "InvalidResponse"
	// ReasonLifetimeUnknown says that the token is good, but the provider did not
	// say for how long.
	ReasonLifetimeUnknown = "LifetimeUnknown"
	// ReasonLifetimeAdjusted says, in an event, that the provider's word on a
	// token's life was not taken as it stood.
	ReasonLifetimeAdjusted = "LifetimeAdjusted"
	// ReasonSourceSecretMissing says that a referenced Secret or ConfigMap, or a
	// key in it, is missing or empty.
	ReasonSourceSecretMissing = "SourceSecretMissing"
	// ReasonSourceSecretRefused says that a referenced Secret is of a type with
	// powers of its own in Kubernetes, which is never read.
	ReasonSourceSecretRefused = "SourceSecretRefused"
	// ReasonInvalidRequest says that no token request can be made of the spec and
	// the Secrets that it names.
	ReasonInvalidRequest = "InvalidRequest"
	// ReasonInternalError says that the operator itself is at fault.
	ReasonInternalError = "InternalError"
	// ReasonSecretConflict says that the target Secret belongs to somebody else.
	ReasonSecretConflict = "SecretConflict"
	// ReasonEgressDenied says that the operator may not talk to that address.
	ReasonEgressDenied = "EgressDenied"
	// ReasonInvalidKey says that a certificate or key could not be read.
	ReasonInvalidKey = "InvalidKey"
	// ReasonProviderNotFound says that the provider that is referenced does not
	// exist, or is not available to this operator.
	ReasonProviderNotFound = "ProviderNotFound"
	// ReasonNamespaceNotAllowed says that the ClusterOAuthProvider does not admit the
	// credential's namespace.
	ReasonNamespaceNotAllowed = "NamespaceNotAllowed"
	// ReasonNotAllowedByProvider says that the credential asks for something that a
	// provider which holds a secret does not allow.
	ReasonNotAllowedByProvider = "NotAllowedByProvider"
	// ReasonIncompatibleProvider says that the credential does not fit its provider.
	ReasonIncompatibleProvider = "IncompatibleProvider"
	// ReasonInvalidExpression says that an expression in CEL cannot be used.
	ReasonInvalidExpression = "InvalidExpression"
	// ReasonServiceAccountRefused says that no token of the ServiceAccount may be
	// used.
	ReasonServiceAccountRefused = "ServiceAccountRefused"
	// ReasonTokenConflict says that an older credential gets the same token, from a
	// provider where a new token ends the one before.
	ReasonTokenConflict = "TokenConflict"
	// ReasonAuthorizationRequired says that a person has to log in, or to put a refresh
	// token where the credential looks for it.
	ReasonAuthorizationRequired = "AuthorizationRequired"
	// ReasonRefreshTokenLost says that the refresh token is good no longer, or gone.
	ReasonRefreshTokenLost = "RefreshTokenLost"
	// ReasonRefreshTokenConflict says that another credential uses the same refresh
	// token.
	ReasonRefreshTokenConflict = "RefreshTokenConflict"
	// ReasonRefreshTokenExpiring says that the refresh token ends within two weeks.
	ReasonRefreshTokenExpiring = "RefreshTokenExpiring"
	// ReasonRefreshTokenValid says that the refresh token lives for more than two weeks.
	ReasonRefreshTokenValid = "RefreshTokenValid"
	// ReasonTokenRevoked says, in an event, that the provider has revoked the tokens of
	// a credential that is being deleted.
	ReasonTokenRevoked = "TokenRevoked"
	// ReasonRevocationFailed says, in an event, that it has not.
	ReasonRevocationFailed = "RevocationFailed"
	// ReasonProviderReady says that a provider can be used.
	ReasonProviderReady = "ProviderReady"
	// ReasonSecretRejected says that the API server refused the rendered Secret.
	ReasonSecretRejected = "SecretRejected"
)

// Labels and annotations that tokensync reads and writes.
const (
	// LabelManagedBy marks the Secrets that tokensync writes.
	LabelManagedBy = "app.kubernetes.io/managed-by"
	// ManagedByTokensync is the value of LabelManagedBy.
	ManagedByTokensync = "tokensync"
	// LabelCredential names, on a target Secret, the credential that it belongs to.
	LabelCredential = "tokensync.dev/credential"
	// LabelRole marks Secrets that tokensync keeps for itself; nobody else's
	// credential may take them over.
	LabelRole = "tokensync.dev/role"
	// RoleGrant is the value of LabelRole on a Secret that holds a grant.
	RoleGrant = "grant"
	// AnnotationGrantFor names, on a Secret with a grant that was made for another
	// credential or in another cluster, the UID of the credential that may use it.
	AnnotationGrantFor = "tokensync.dev/grant-for"
	// FinalizerRevocation keeps a credential until its tokens were revoked.
	FinalizerRevocation = "tokensync.dev/revocation"
	// AnnotationIssuedAt is the instant before the request for the token, in RFC 3339.
	AnnotationIssuedAt = "tokensync.dev/issued-at"
	// AnnotationExpiresAt is the instant at which the token expires, in RFC 3339,
	// absent where the provider does not say.
	AnnotationExpiresAt = "tokensync.dev/expires-at"
	// AnnotationInputsHash is a hash of what shaped the token request.
	AnnotationInputsHash = "tokensync.dev/inputs-hash"
	// AnnotationDataHash is a hash of what was written into the Secret.
	AnnotationDataHash = "tokensync.dev/data-hash"
	// AnnotationAdopted marks a Secret that existed before its credential took it
	// over. It is never deleted; with the value `Delete`, the keys of tokensync are
	// removed from it when its credential is deleted.
	AnnotationAdopted = "tokensync.dev/adopted"
	// AnnotationKeptBy names, on a Secret that holds a token, what keeps it, where that is
	// not the operator.
	AnnotationKeptBy = "tokensync.dev/kept-by"
	// AnnotationAudiences lists, on a ServiceAccount and separated by commas, the
	// audiences that credentials of its namespace may have its tokens issued for.
	AnnotationAudiences = "tokensync.dev/audiences"
	// AnnotationRefreshRequestedAt asks for a refresh now whenever its value
	// changes, on the credential or on its target Secret.
	AnnotationRefreshRequestedAt = "tokensync.dev/refresh-requested-at"
)

// The keys of a target Secret.
const (
	// KeyAccessToken holds the token itself.
	KeyAccessToken = "access_token"
	// KeyTokenType holds the type of the token, `Bearer` in the common case.
	KeyTokenType = "token_type"
	// KeyExpiresAt holds the expiry in RFC 3339, absent where it is not known.
	KeyExpiresAt = "expires_at"
	// KeyScope holds the granted scope, absent where the provider does not say.
	KeyScope = "scope"
)

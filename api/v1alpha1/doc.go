// Package v1alpha1 holds the API of tokensync: what a user declares about an
// OAuth credential, and what the operator reports about it.
//
// Everything that the schema can check, the schema checks (markers, bounds and
// CEL rules on the types below): there is no webhook server. Two rules keep the
// informers safe. Nothing is stricter in Go than in the schema, because one
// object that cannot be decoded stops the list for all. And only constants are
// defaulted by the schema; what is computed is a pointer, defaulted in code.
//
// +kubebuilder:object:generate=true
// +groupName=tokensync.dev
package v1alpha1

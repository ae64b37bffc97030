// Package schema holds the tests of the schema of the CRDs, on a real API server.
// The schema is all the validation there is, and its messages are what a user
// sees first; so every rule is tested both ways, with what it says.
package schema

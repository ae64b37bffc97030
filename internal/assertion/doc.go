// Package assertion signs the JSON Web Tokens by which a client proves who it is (RFC 7523 section 2.2) or on whose
// behalf it asks (section 2.1).
//
// A [Key] is read once and signs often. [ParseKey] takes a private key in the forms in which providers hand them out:
//
//	PEM   PKCS#8, PKCS#1, SEC 1; certificates beside the key give the header x5t#S256
//	JSON  a JWK, a JWK Set, or the file of a Google service account; they name the default of the header kid
//
// [CertificateKey] takes the two halves of a TLS Secret, and [SecretKey] the client secret that is the key of
// client_secret_jwt. None of them can be printed. What is wrong with a key is a [*KeyError], whose text is fixed and
// holds nothing of the key.
//
// Which claims go into an assertion, and until when it is good, is the caller's business: there is no clock here and
// no random source but the one that signing itself needs. The package knows nothing of Kubernetes.
package assertion

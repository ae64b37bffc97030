// Package consent has a person consent to what a credential asks for: in a browser that
// comes back to a loopback address (RFC 8252), or by a code that is entered elsewhere
// (RFC 8628).
package consent

// Package resolve turns a declared credential, and the Secrets that it refers to,
// into a token request. The operator and the sidecar share it: it reads through a
// narrow interface and knows neither caches nor files.
package resolve

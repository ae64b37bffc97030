// Package status is the command `kubectl tokensync status`: what each credential is up
// to, in one line. Describe reads a credential at an instant and is pure; the rest
// prints it.
//
// To follow credentials, it reads them again every two seconds instead of by a watch, and
// draws them anew each second: what is shown ages between two changes, too.
package status

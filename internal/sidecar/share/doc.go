// Package share keeps a token in a Secret that several replicas share, where there is no
// operator to do it.
//
// By a Lease one replica asks the provider, and writes what it gets into the Secret. All of
// them watch the Secret and deliver what is in it, so that it makes no difference which one
// a pod talks to. Whoever takes over begins with the token of the Secret, and asks only
// when that is due.
package share

// Package source finds what token requests are made of: in a manifest, and in the cluster
// that kubectl is pointed at.
package source

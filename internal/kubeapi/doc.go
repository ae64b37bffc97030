// Package kubeapi makes clients of the Kubernetes API that know no types but those of
// their group: client-go's clientset and controller-runtime's client bring the types of
// all groups along, which a small process has no room for.
package kubeapi

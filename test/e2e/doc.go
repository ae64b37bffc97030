// Package e2e holds the end-to-end suite: the operator and the sidecar from their images,
// installed by Helm into a cluster with a real kubelet, and pods that use their tokens. It is
// the last word about what the other suites hold for the parts.
//
//	test/e2e/run.sh     brings up the node of hack/node, runs the suite inside, and removes it
//
// With E2E_KUBECONFIG it runs on the cluster of that kubeconfig instead, without what only
// the node allows: to restart its kubelet, and to have it look for changed Secrets each
// second. Tokens live longer there, and the suite takes a quarter of an hour more.
//
// All namespaces enforce the Pod Security Standard restricted. The manifests are those of
// README.md, docs/ and config/samples, with the addresses and images of the suite. The app
// in their pods is the consumer of package app, and each credential has a stand-in of its
// provider, which runs as a pod, too.
//
//	suite_test.go       what is up for all specs, and in which order they run
//	cluster_test.go     namespaces, objects, requests to pods
//	documented_test.go  manifests out of the documentation
//	release_test.go     installations of the chart
//	provider_test.go    stand-ins as pods
//	stage_test.go       a namespace with a provider, a credential and consumers
//	consumer_test.go    pods that call the protected service, and what they tell
//	latency_test.go     the table of how long tokens took to the apps
//	trouble_test.go     what is printed of the cluster when a spec fails
//
// A crowd of consumers, one for each way to the token, starts with the suite and calls while
// specs disturb what is around it. It is judged when those are done.
package e2e

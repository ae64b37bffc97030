// Package e2e holds the end-to-end suite: the operator and the sidecar from their images,
// installed by Helm into a cluster with a real kubelet, and pods that use their tokens. It is
// the last word about what the other suites hold for the parts.
//
//	test/e2e/run.sh     brings up the node of hack/node, runs the suite inside, and removes it
//
// With E2E_KUBECONFIG it runs on the cluster of that kubeconfig instead, of Kubernetes 1.36
// or newer, without what only the node allows: to restart its kubelet, and to have it look
// for changed Secrets each second. Tokens live longer there, and the suite takes a quarter
// of an hour more. A whole run deletes the CRDs at its end, and part of one leaves them.
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
//	kubectl_test.go     kubectl
//
//	syncronex_test.go   the README's example
//	ways_test.go        the other ways to the token, and a Job
//	short_test.go       a kubelet at its defaults, and tokens too short for it
//	node_test.go        a kubelet and sidecars that end, and consumers that outlast it
//	operator_test.go    an operator that ends, alone and with a replica
//	upgrade_test.go     upgrades of the chart
//	notes_test.go       what Helm prints after an installation
//	identity_test.go    a ServiceAccount for a client, and no secret
//	network_test.go     the chart's NetworkPolicy, and visitors that try it
//	permission_test.go  what that policy grants, and taking it away
//	scope_test.go       an operator for some namespaces
//	uninstall_test.go   what goes and what stays
//
// A crowd of consumers, one for each way to the token, starts with the suite and calls while
// specs disturb what is around it. It is judged when those are done.
package e2e

package main

import (
	"cmp"
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// cluster is what the rules follow from, in an order that does not change from one reading
// to the next. The API server has validated it, and filled in defaults.
type cluster struct {
	policies   []networkingv1.NetworkPolicy
	pods       []corev1.Pod
	namespaces map[string]labels.Set
}

func readCluster(ctx context.Context, reader client.Reader) (cluster, error) {
	var (
		policies   networkingv1.NetworkPolicyList
		pods       corev1.PodList
		namespaces corev1.NamespaceList
	)
	for _, list := range []client.ObjectList{&policies, &pods, &namespaces} {
		if err := reader.List(ctx, list); err != nil {
			return cluster{}, err
		}
	}
	return newCluster(policies.Items, pods.Items, namespaces.Items), nil
}

func newCluster(policies []networkingv1.NetworkPolicy, pods []corev1.Pod, namespaces []corev1.Namespace) cluster {
	byName := func(a, b metav1.Object) int {
		return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
	}
	slices.SortFunc(policies, func(a, b networkingv1.NetworkPolicy) int { return byName(&a, &b) })
	slices.SortFunc(pods, func(a, b corev1.Pod) int { return byName(&a, &b) })
	c := cluster{
		policies:   policies,
		pods:       slices.DeleteFunc(pods, func(pod corev1.Pod) bool { return !hasAddress(pod) }),
		namespaces: map[string]labels.Set{},
	}
	for _, namespace := range namespaces {
		c.namespaces[namespace.Name] = namespace.Labels
	}
	return c
}

// hasAddress tells whether an address is this pod's alone: it may have none yet, that of
// the node, or one that another pod may have got since it ended.
func hasAddress(pod corev1.Pod) bool {
	ended := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
	return pod.Status.PodIP != "" && !pod.Spec.HostNetwork && !ended
}

// selectedBy tells whether a policy is about a pod.
func selectedBy(policy networkingv1.NetworkPolicy, pod corev1.Pod) bool {
	return policy.Namespace == pod.Namespace && matches(&policy.Spec.PodSelector, pod.Labels)
}

// peerPods are the pods that a peer means in a policy of this namespace.
func (c cluster) peerPods(namespace string, peer networkingv1.NetworkPolicyPeer) []corev1.Pod {
	var found []corev1.Pod
	for _, pod := range c.pods {
		inNamespace := pod.Namespace == namespace
		if peer.NamespaceSelector != nil {
			inNamespace = matches(peer.NamespaceSelector, c.namespaces[pod.Namespace])
		}
		if inNamespace && (peer.PodSelector == nil || matches(peer.PodSelector, pod.Labels)) {
			found = append(found, pod)
		}
	}
	return found
}

// matches takes a selector that makes no sense, which the API server has not let through,
// for one that nobody matches.
func matches(selector *metav1.LabelSelector, set labels.Set) bool {
	compiled, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && compiled.Matches(set)
}

// portNamed is a named port of a pod, if it has that with this protocol.
func portNamed(pod corev1.Pod, name string, protocol corev1.Protocol) (int32, bool) {
	for _, container := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		for _, port := range container.Ports {
			if port.Name == name && port.Protocol == protocol {
				return port.ContainerPort, true
			}
		}
	}
	return 0, false
}

package e2e_test

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// permission is what the operator's NetworkPolicy lets through, of one port.
type permission struct {
	direction networkingv1.PolicyType
	protocol  corev1.Protocol
	port      string
}

// All permissions. Without one of them a spec fails that is about it.
var (
	metricsIn = permission{networkingv1.PolicyTypeIngress, corev1.ProtocolTCP, "metrics"}
	namesOut  = permission{networkingv1.PolicyTypeEgress, corev1.ProtocolUDP, "53"}
	tcpOut    = permission{networkingv1.PolicyTypeEgress, corev1.ProtocolTCP, ""}
)

func operatorPolicy(ctx context.Context) *networkingv1.NetworkPolicy {
	GinkgoHelper()
	policy := &networkingv1.NetworkPolicy{}
	Expect(api.Get(ctx, client.ObjectKey{Namespace: operator.namespace, Name: "tokensync-operator"}, policy)).To(Succeed())
	return policy
}

func permissions(spec networkingv1.NetworkPolicySpec) []permission {
	GinkgoHelper()
	var found []permission
	add := func(direction networkingv1.PolicyType, ports []networkingv1.NetworkPolicyPort) {
		Expect(ports).NotTo(BeEmpty(), "a rule without ports lets everything through: %s", direction)
		for _, port := range ports {
			found = append(found, newPermission(direction, port))
		}
	}
	for _, rule := range spec.Ingress {
		add(networkingv1.PolicyTypeIngress, rule.Ports)
	}
	for _, rule := range spec.Egress {
		add(networkingv1.PolicyTypeEgress, rule.Ports)
	}
	return found
}

func newPermission(direction networkingv1.PolicyType, port networkingv1.NetworkPolicyPort) permission {
	p := permission{direction: direction, protocol: *port.Protocol}
	if port.Port != nil {
		p.port = port.Port.String()
	}
	return p
}

// withhold takes a permission out of the operator's policy until the spec ends.
func withhold(ctx context.Context, p permission) {
	GinkgoHelper()
	policy := operatorPolicy(ctx)
	before := policy.DeepCopy()
	policy.Spec.Ingress = slices.DeleteFunc(policy.Spec.Ingress, func(rule networkingv1.NetworkPolicyIngressRule) bool {
		return newPermission(networkingv1.PolicyTypeIngress, rule.Ports[0]) == p
	})
	policy.Spec.Egress = slices.DeleteFunc(policy.Spec.Egress, func(rule networkingv1.NetworkPolicyEgressRule) bool {
		return newPermission(networkingv1.PolicyTypeEgress, rule.Ports[0]) == p
	})
	Expect(policy.Spec).NotTo(Equal(before.Spec), "the policy has no such permission")
	Expect(api.Update(ctx, policy)).To(Succeed())
	DeferCleanup(func(ctx context.Context) {
		policy := operatorPolicy(ctx)
		policy.Spec = before.Spec
		Expect(api.Update(ctx, policy)).To(Succeed())
	})
}

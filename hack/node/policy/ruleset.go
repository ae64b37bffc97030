package main

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// frame takes the chains of pods, and the rules that lead there. Replacing the table as a
// whole is one transaction.
//
// Packets from pod to pod are forwarded, and those from a pod to the node are input. What
// the node sends is output, which nobody looks at: it always reaches its pods. Services
// have been translated before, so that rules see the pod, or the node, that is meant.
//
// Every packet of the one who began is judged, and not only the first, so that a new
// policy ends what it forbids.
const frame = `table ip network_policies
delete table ip network_policies
table ip network_policies {
%s	chain isolate {
		ct direction reply accept
		ct state related accept
%s	}
	chain forward {
		type filter hook forward priority filter; policy accept;
		jump isolate
	}
	chain input {
		type filter hook input priority filter; policy accept;
		jump isolate
	}
}
`

// direction is one of the two that a pod can be isolated in.
type direction networkingv1.PolicyType

const (
	egress  = direction(networkingv1.PolicyTypeEgress)
	ingress = direction(networkingv1.PolicyTypeIngress)
)

// own is where packets of this direction have the address of the pod.
func (d direction) own() string {
	if d == egress {
		return "saddr"
	}
	return "daddr"
}

// peer is where they have the address of the other one.
func (d direction) peer() string {
	if d == egress {
		return "daddr"
	}
	return "saddr"
}

// allowance is a rule of either direction.
type allowance struct {
	peers []networkingv1.NetworkPolicyPeer
	ports []networkingv1.NetworkPolicyPort
}

// ruleset is what nft reads. A packet has to pass the chain of its sender and the chain of
// its receiver, where they have one: whoever returns from both has passed.
func (c cluster) ruleset() string {
	var chains, jumps strings.Builder
	for _, d := range []direction{egress, ingress} {
		for _, pod := range c.pods {
			isolating := slices.DeleteFunc(slices.Clone(c.policies), func(policy networkingv1.NetworkPolicy) bool {
				return !selectedBy(policy, pod) || !slices.Contains(policy.Spec.PolicyTypes, networkingv1.PolicyType(d))
			})
			if len(isolating) == 0 {
				continue
			}
			name := strings.ToLower(string(d)) + "-" + pod.Status.PodIP
			fmt.Fprintf(&chains, "\tchain %s { # %s/%s\n", name, pod.Namespace, pod.Name)
			// Nobody is kept from itself.
			fmt.Fprintf(&chains, "\t\tip %s %s return\n", d.peer(), pod.Status.PodIP)
			for _, policy := range isolating {
				chains.WriteString(c.rules(policy, pod, d))
			}
			chains.WriteString("\t\tdrop\n\t}\n")
			fmt.Fprintf(&jumps, "\t\tip %s %s jump %s\n", d.own(), pod.Status.PodIP, name)
		}
	}
	return fmt.Sprintf(frame, chains.String(), jumps.String())
}

// rules are those that let a pod's packets pass by a policy. A refused one lets none.
func (c cluster) rules(policy networkingv1.NetworkPolicy, pod corev1.Pod, d direction) string {
	if unsupported(policy) != nil {
		return ""
	}
	var rules strings.Builder
	for _, allowance := range d.allowances(policy) {
		for _, peer := range c.peerMatches(policy.Namespace, allowance.peers, d) {
			receiver := pod
			if d == egress {
				receiver = peer.pod
			}
			for _, port := range portMatches(allowance.ports, receiver) {
				fmt.Fprintf(&rules, "\t\t%s%sreturn # %s\n", peer.match, port, policy.Name)
			}
		}
	}
	return rules.String()
}

func (d direction) allowances(policy networkingv1.NetworkPolicy) []allowance {
	var all []allowance
	if d == egress {
		for _, rule := range policy.Spec.Egress {
			all = append(all, allowance{rule.To, rule.Ports})
		}
		return all
	}
	for _, rule := range policy.Spec.Ingress {
		all = append(all, allowance{rule.From, rule.Ports})
	}
	return all
}

// peerMatch matches a pod, or addresses that may be anybody's.
type peerMatch struct {
	match string
	pod   corev1.Pod
}

func (c cluster) peerMatches(namespace string, peers []networkingv1.NetworkPolicyPeer, d direction) []peerMatch {
	if len(peers) == 0 {
		return []peerMatch{{}}
	}
	var found []peerMatch
	for _, peer := range peers {
		if block := peer.IPBlock; block != nil {
			match := fmt.Sprintf("ip %s %s ", d.peer(), block.CIDR)
			if len(block.Except) > 0 {
				match += fmt.Sprintf("ip %s != { %s } ", d.peer(), strings.Join(block.Except, ", "))
			}
			found = append(found, peerMatch{match: match})
			continue
		}
		for _, pod := range c.peerPods(namespace, peer) {
			found = append(found, peerMatch{fmt.Sprintf("ip %s %s ", d.peer(), pod.Status.PodIP), pod})
		}
	}
	return found
}

// portMatches has none for a port by a name that the receiver does not know.
func portMatches(ports []networkingv1.NetworkPolicyPort, receiver corev1.Pod) []string {
	if len(ports) == 0 {
		return []string{""}
	}
	var found []string
	for _, port := range ports {
		protocol := strings.ToLower(string(*port.Protocol))
		switch {
		case port.Port == nil:
			found = append(found, fmt.Sprintf("meta l4proto %s ", protocol))
		case port.Port.Type == intstr.String:
			if number, ok := portNamed(receiver, port.Port.StrVal, *port.Protocol); ok {
				found = append(found, fmt.Sprintf("%s dport %d ", protocol, number))
			}
		case port.EndPort != nil:
			found = append(found, fmt.Sprintf("%s dport %d-%d ", protocol, port.Port.IntVal, *port.EndPort))
		default:
			found = append(found, fmt.Sprintf("%s dport %d ", protocol, port.Port.IntVal))
		}
	}
	return found
}

package main

import (
	"errors"
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// refused are the policies that let nothing through, because they want what is not
// supported here. To enforce the rest of such a policy would look as if all of it worked.
func (c cluster) refused() []error {
	var all []error
	for _, policy := range c.policies {
		if err := unsupported(policy); err != nil {
			all = append(all, fmt.Errorf("NetworkPolicy %s/%s lets nothing through: %w", policy.Namespace, policy.Name, err))
		}
	}
	return all
}

func unsupported(policy networkingv1.NetworkPolicy) error {
	for _, d := range []direction{egress, ingress} {
		for _, allowance := range d.allowances(policy) {
			if err := allowance.unsupported(d); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a allowance) unsupported(d direction) error {
	pods, names := len(a.peers) > 0, false
	for _, peer := range a.peers {
		if block := peer.IPBlock; block != nil {
			pods = false
			if prefix, err := netip.ParsePrefix(block.CIDR); err != nil || !prefix.Addr().Is4() {
				return fmt.Errorf("the network %s is not one of IPv4, which is all that pods have here", block.CIDR)
			}
		}
	}
	for _, port := range a.ports {
		names = names || port.Port != nil && port.Port.Type == intstr.String
		if *port.Protocol != corev1.ProtocolTCP && *port.Protocol != corev1.ProtocolUDP {
			return fmt.Errorf("a port has the protocol %s; use TCP or UDP", *port.Protocol)
		}
	}
	if d == egress && names && !pods {
		return errors.New("`egress` has a port by its name, and `to` is not only pods; write the number of the port")
	}
	return nil
}

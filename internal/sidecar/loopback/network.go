package loopback

import (
	"fmt"
	"net/netip"
	"strings"
)

// The variables that CheckNetwork is about. Both come from the downward API.
const (
	PodIPVariable  = "TOKENSYNC_POD_IP"
	HostIPVariable = "TOKENSYNC_HOST_IP"
)

// CheckNetwork refuses an address that more than this pod reaches: in a pod with
// hostNetwork, loopback is that of the node, and all who run there could ask for the
// token. Such a pod has the address of its node. podIP and hostIP are the values of the
// two variables, one address or several with commas between them (status.podIP or
// status.podIPs); allowed is --allow-host-network. A Unix socket is of the pod whatever
// its network is.
func (a Address) CheckNetwork(podIP, hostIP string, inCluster, allowed bool) error {
	switch {
	case a.IsUnix() || allowed:
		return nil
	case podIP == "" || hostIP == "":
		return a.unknownNetwork(podIP, hostIP, inCluster)
	}
	pod, err := addresses(PodIPVariable, podIP)
	if err != nil {
		return err
	}
	host, err := addresses(HostIPVariable, hostIP)
	if err != nil {
		return err
	}
	for address := range pod {
		if host[address] {
			return fmt.Errorf("%s is %s, but this pod uses the network of its node (%s and %s are the same), where others "+
				"could ask for the token: take hostNetwork away, or serve on a Unix socket (%s=unix:/path), or accept it with "+
				"--allow-host-network", a.flag, a, PodIPVariable, HostIPVariable, a.flag)
		}
	}
	return nil
}

// unknownNetwork refuses to guess in a cluster. Elsewhere there are no pods.
func (a Address) unknownNetwork(podIP, hostIP string, inCluster bool) error {
	if !inCluster {
		return nil
	}
	missing := PodIPVariable + " (status.podIP) and " + HostIPVariable + " (status.hostIP)"
	verb := "are"
	if podIP != "" || hostIP != "" {
		verb = "must both be, and one is"
	}
	return fmt.Errorf("%s is %s, but whether this pod uses the network of its node cannot be told: the environment variables "+
		"%s %s not set. Set both in the container by valueFrom.fieldRef, or serve on a Unix socket (%s=unix:/path), or accept it with "+
		"--allow-host-network", a.flag, a, missing, verb, a.flag)
}

// addresses reads the value of one of the variables, so that all ways to write an
// address are one.
func addresses(variable, value string) (map[netip.Addr]bool, error) {
	found := map[netip.Addr]bool{}
	for text := range strings.SplitSeq(value, ",") {
		address, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("%s is %q, which is not an IP address: set it by valueFrom.fieldRef", variable, value)
		}
		found[address.Unmap().WithZone("")] = true
	}
	return found, nil
}

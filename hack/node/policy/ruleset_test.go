package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"
)

// inhabitants are two pods with a port of the same name, of which the policies of the tests
// are about web; one in another namespace; and some that have no address of their own.
const inhabitants = `
- metadata: {namespace: shop, name: web, labels: {app: web}}
  spec: {containers: [{ports: [{name: http, containerPort: 8080, protocol: TCP}]}]}
  status: {podIP: 10.0.0.1}
- metadata: {namespace: shop, name: db, labels: {app: db}}
  spec: {initContainers: [{ports: [{name: http, containerPort: 9090, protocol: TCP}]}]}
  status: {podIP: 10.0.0.2}
- metadata: {namespace: watch, name: prometheus, labels: {app: prometheus}}
  status: {podIP: 10.0.0.3}
- metadata: {namespace: shop, name: on-the-node, labels: {app: web}}
  spec: {hostNetwork: true}
  status: {podIP: 192.168.0.1}
- metadata: {namespace: shop, name: ended, labels: {app: web}}
  status: {podIP: 10.0.0.4, phase: Succeeded}
- metadata: {namespace: shop, name: failed, labels: {app: web}}
  status: {podIP: 10.0.0.5, phase: Failed}
- metadata: {namespace: shop, name: beginning, labels: {app: web}}
`

func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var value T
	if err := yaml.UnmarshalStrict([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// inhabited is a cluster with policies for web, which are named a, b and so on.
func inhabited(t *testing.T, specs ...string) cluster {
	t.Helper()
	policies := make([]networkingv1.NetworkPolicy, len(specs))
	for i, spec := range specs {
		policies[i].Namespace, policies[i].Name = "shop", string(rune('a'+i))
		policies[i].Spec = decode[networkingv1.NetworkPolicySpec](t, spec)
		policies[i].Spec.PodSelector.MatchLabels = map[string]string{"app": "web"}
	}
	return newCluster(policies, decode[[]corev1.Pod](t, inhabitants),
		decode[[]corev1.Namespace](t, "[metadata: {name: shop}, metadata: {name: watch, labels: {watches: all}}]"))
}

func TestRuleset(t *testing.T) {
	t.Parallel()
	got := inhabited(t, `{policyTypes: [Egress, Ingress], egress: [{}]}`).ruleset()
	want := `table ip network_policies
delete table ip network_policies
table ip network_policies {
	chain egress-10.0.0.1 { # shop/web
		ip daddr 10.0.0.1 return
		return # a
		drop
	}
	chain ingress-10.0.0.1 { # shop/web
		ip saddr 10.0.0.1 return
		drop
	}
	chain isolate {
		ct direction reply accept
		ct state related accept
		ip saddr 10.0.0.1 jump egress-10.0.0.1
		ip daddr 10.0.0.1 jump ingress-10.0.0.1
	}
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
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// returns are the rules by which the packets of a pod pass.
func returns(ruleset string) []string {
	var found []string
	for line := range strings.Lines(ruleset) {
		if rule, _, ok := strings.Cut(strings.TrimSpace(line), "return #"); ok {
			found = append(found, strings.TrimSpace(rule))
		}
	}
	return found
}

func TestRules(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		policies []string
		want     []string
	}{
		"nobody": {[]string{`{policyTypes: [Ingress]}`}, nil},
		"a type that the policy does not have": {
			[]string{`{policyTypes: [Egress], ingress: [{}]}`}, nil,
		},
		"pods of the same namespace": {
			[]string{`{policyTypes: [Ingress], ingress: [from: [podSelector: {}]]}`},
			[]string{"ip saddr 10.0.0.2", "ip saddr 10.0.0.1"},
		},
		"chosen pods of the same namespace": {
			[]string{`{policyTypes: [Egress], egress: [to: [podSelector: {matchLabels: {app: db}}]]}`},
			[]string{"ip daddr 10.0.0.2"},
		},
		"all pods of other namespaces": {
			[]string{`{policyTypes: [Ingress], ingress: [from: [namespaceSelector: {matchLabels: {watches: all}}]]}`},
			[]string{"ip saddr 10.0.0.3"},
		},
		"chosen pods of all namespaces": {
			[]string{`{policyTypes: [Ingress], ingress: [from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: db}}}]]}`},
			[]string{"ip saddr 10.0.0.2"},
		},
		"networks": {
			[]string{`{policyTypes: [Egress], egress: [to: [ipBlock: {cidr: 10.0.0.0/8}, ipBlock: {cidr: 0.0.0.0/0, except: [10.1.0.0/16, 10.2.0.0/16]}]]}`},
			[]string{"ip daddr 10.0.0.0/8", "ip daddr 0.0.0.0/0 ip daddr != { 10.1.0.0/16, 10.2.0.0/16 }"},
		},
		"ports": {
			[]string{`{policyTypes: [Egress], egress: [ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 1, endPort: 9}, {protocol: UDP}]]}`},
			[]string{"udp dport 53", "tcp dport 1-9", "meta l4proto udp"},
		},
		"each peer on each port": {
			[]string{`{policyTypes: [Ingress], ingress: [{from: [podSelector: {}], ports: [{protocol: TCP, port: 1}, {protocol: TCP, port: 2}]}]}`},
			[]string{
				"ip saddr 10.0.0.2 tcp dport 1", "ip saddr 10.0.0.2 tcp dport 2",
				"ip saddr 10.0.0.1 tcp dport 1", "ip saddr 10.0.0.1 tcp dport 2",
			},
		},
		"a named port of the receiver, which is the pod itself": {
			[]string{`{policyTypes: [Ingress], ingress: [ports: [{protocol: TCP, port: http}]]}`},
			[]string{"tcp dport 8080"},
		},
		"a named port of the receiver, which is the peer": {
			[]string{`{policyTypes: [Egress], egress: [{to: [podSelector: {}, namespaceSelector: {}], ports: [{protocol: TCP, port: http}]}]}`},
			[]string{
				"ip daddr 10.0.0.2 tcp dport 9090", "ip daddr 10.0.0.1 tcp dport 8080",
				"ip daddr 10.0.0.2 tcp dport 9090", "ip daddr 10.0.0.1 tcp dport 8080",
			},
		},
		"a named port of another protocol": {
			[]string{`{policyTypes: [Ingress], ingress: [ports: [{protocol: UDP, port: http}]]}`}, nil,
		},
		"several policies": {
			[]string{
				`{policyTypes: [Ingress], ingress: [ports: [{protocol: TCP, port: 1}]]}`,
				`{policyTypes: [Ingress], ingress: [ports: [{protocol: TCP, port: 2}]]}`,
			},
			[]string{"tcp dport 1", "tcp dport 2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := inhabited(t, test.policies...)
			if diff := cmp.Diff(test.want, returns(cluster.ruleset())); diff != "" {
				t.Error(diff)
			}
			if refused := cluster.refused(); refused != nil {
				t.Errorf("refused: %v", refused)
			}
		})
	}
}

func TestAPolicyOfAnotherNamespaceIsolatesNobody(t *testing.T) {
	t.Parallel()
	cluster := inhabited(t, `{policyTypes: [Ingress]}`)
	cluster.policies[0].Namespace = "watch"
	if got := cluster.ruleset(); strings.Contains(got, "drop") {
		t.Error(got)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ policy, want string }{
		"another protocol": {
			`{policyTypes: [Ingress], ingress: [{}, ports: [{protocol: SCTP, port: 1}]]}`,
			"a port has the protocol SCTP; use TCP or UDP",
		},
		"another family": {
			`{policyTypes: [Egress], egress: [{}, to: [ipBlock: {cidr: "fd00::/8"}]]}`,
			"the network fd00::/8 is not one of IPv4, which is all that pods have here",
		},
		"a named port of anybody": {
			`{policyTypes: [Egress], egress: [{}, ports: [{protocol: TCP, port: http}]]}`,
			"`egress` has a port by its name, and `to` is not only pods; write the number of the port",
		},
		"a named port of a network": {
			`{policyTypes: [Egress], egress: [{}, {to: [podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}], ports: [{protocol: TCP, port: http}]}]}`,
			"`egress` has a port by its name, and `to` is not only pods; write the number of the port",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := inhabited(t, test.policy)
			refused := cluster.refused()
			if want := "NetworkPolicy shop/a lets nothing through: " + test.want; len(refused) != 1 || refused[0].Error() != want {
				t.Errorf("got %v, want %s", refused, want)
			}
			ruleset := cluster.ruleset()
			if passing := returns(ruleset); passing != nil || !strings.Contains(ruleset, "drop") {
				t.Errorf("it lets something through:\n%s", ruleset)
			}
		})
	}
}

package loopback

import (
	"strings"
	"testing"
)

func TestCheckNetwork(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		pod, host        string
		cluster, allowed bool
		says             []string
		address          string
	}{
		"a network of its own":           {pod: "10.1.2.3", host: "192.168.0.7", cluster: true},
		"that of the node":               {pod: "192.168.0.7", host: "192.168.0.7", cluster: true, says: []string{"hostNetwork", "unix:", "--allow-host-network"}},
		"that of the node, by IPv6":      {pod: "fd00::a", host: "fd00::a", cluster: true, says: []string{"hostNetwork"}},
		"written otherwise":              {pod: "FD00:0:0::000A", host: "fd00::a", cluster: true, says: []string{"hostNetwork"}},
		"mapped":                         {pod: "::ffff:192.168.0.7", host: "192.168.0.7", cluster: true, says: []string{"hostNetwork"}},
		"mapped, in hexadecimal digits":  {pod: "192.168.0.7", host: "::ffff:c0a8:7", cluster: true, says: []string{"hostNetwork"}},
		"with a zone":                    {pod: "fe80::1%eth0", host: "fe80::1", cluster: true, says: []string{"hostNetwork"}},
		"one of two families":            {pod: "192.168.0.7,fd00::a", host: "fd00::a", cluster: true, says: []string{"hostNetwork"}},
		"one of two in both":             {pod: "10.1.2.3, fd00::a", host: "fd00::a, 192.168.0.7", cluster: true, says: []string{"hostNetwork"}},
		"two families of its own":        {pod: "10.1.2.3,fd00::b", host: "192.168.0.7,fd00::a", cluster: true},
		"that of the node, no cluster":   {pod: "192.168.0.7", host: "192.168.0.7", says: []string{"hostNetwork"}},
		"that of the node, allowed":      {pod: "192.168.0.7", host: "192.168.0.7", cluster: true, allowed: true},
		"that of the node, a socket":     {pod: "192.168.0.7", host: "192.168.0.7", cluster: true, address: "unix:/run/s"},
		"nothing known":                  {cluster: true, says: []string{PodIPVariable + " (status.podIP)", HostIPVariable + " (status.hostIP)"}},
		"no pod IP":                      {host: "192.168.0.7", cluster: true, says: []string{PodIPVariable, HostIPVariable}},
		"no host IP":                     {pod: "192.168.0.7", cluster: true, says: []string{PodIPVariable, HostIPVariable}},
		"nothing known, no cluster":      {},
		"nothing known, allowed":         {cluster: true, allowed: true},
		"nothing known, a socket":        {cluster: true, address: "unix:/run/s"},
		"a pod IP that is none":          {pod: "pod", host: "192.168.0.7", cluster: true, says: []string{PodIPVariable, `"pod"`}},
		"a host IP that is none":         {pod: "192.168.0.7", host: "192.168.0.7/32", cluster: true, says: []string{HostIPVariable}},
		"a list with a hole":             {pod: "10.1.2.3,", host: "192.168.0.7", cluster: true, says: []string{PodIPVariable}},
		"an address that is not theirs":  {pod: "0.0.0.0", host: "192.168.0.7", cluster: true},
		"a different, compatible prefix": {pod: "::c0a8:7", host: "192.168.0.7", cluster: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			value := "127.0.0.1:8080"
			if test.address != "" {
				value = test.address
			}
			err := parsed(t, value).CheckNetwork(test.pod, test.host, test.cluster, test.allowed)
			if (err != nil) != (len(test.says) > 0) {
				t.Fatalf("got %v", err)
			}
			for _, word := range test.says {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%v does not name %s", err, word)
				}
			}
		})
	}
}

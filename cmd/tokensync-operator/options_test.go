package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"
)

func TestOwnAddresses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		environment map[string]string
		host        string
		want        []string
		err         string
	}{
		"outside of a cluster": {},
		"one family": {
			environment: map[string]string{"POD_IPS": "10.1.0.7", "NODE_IPS": "192.168.0.3"},
			want:        []string{"10.1.0.7", "192.168.0.3"},
		},
		"both families": {
			environment: map[string]string{"POD_IPS": "10.1.0.7,fd00:1::7", "NODE_IPS": "fd00:2::3,192.168.0.3"},
			want:        []string{"10.1.0.7", "fd00:1::7", "fd00:2::3", "192.168.0.3"},
		},
		"the API server by its Service and by its URL": {
			environment: map[string]string{"NODE_IPS": "192.168.0.3", "KUBERNETES_SERVICE_HOST": "fd00:3::1"},
			host:        "https://[fd00:4::1]:6443",
			want:        []string{"192.168.0.3", "fd00:3::1", "fd00:4::1"},
		},
		"the API server by name": {
			environment: map[string]string{"POD_IPS": "10.1.0.7", "KUBERNETES_SERVICE_HOST": "api.example.com"},
			host:        "https://api.example.com:6443",
			want:        []string{"10.1.0.7"},
		},
		"a word among the addresses": {
			environment: map[string]string{"POD_IPS": "10.1.0.7,reader", "NODE_IPS": "192.168.0.3"},
			err:         "POD_IPS=10.1.0.7,reader: must be IP addresses with commas between them, such as 10.0.0.7,fd00::7",
		},
		"a network for an address": {
			environment: map[string]string{"POD_IPS": "10.1.0.7", "NODE_IPS": "192.168.0.0/16"},
			err:         "NODE_IPS=192.168.0.0/16: must be IP addresses with commas between them, such as 10.0.0.7,fd00::7",
		},
		"a comma with nothing behind it": {
			environment: map[string]string{"NODE_IPS": "192.168.0.3,"},
			err:         "NODE_IPS=192.168.0.3,: must be IP addresses with commas between them, such as 10.0.0.7,fd00::7",
		},
		"a space for a comma": {
			environment: map[string]string{"POD_IPS": "10.1.0.7 fd00:1::7"},
			err:         "POD_IPS=10.1.0.7 fd00:1::7: must be IP addresses with commas between them, such as 10.0.0.7,fd00::7",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOptions()
			err := o.complete(func(variable string) string { return test.environment[variable] })
			if got := message(err); got != test.err {
				t.Fatalf("error:\n%s\nwant:\n%s", got, test.err)
			}
			if err != nil {
				return
			}
			var got []string
			for _, address := range ownAddresses(&rest.Config{Host: test.host}, o) {
				got = append(got, address.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("addresses (-want +got):\n%s", diff)
			}
		})
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

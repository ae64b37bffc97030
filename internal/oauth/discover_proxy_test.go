package oauth

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// A proxy hides the address of an issuer from the dialer.
func TestAnIssuerBehindAProxy(t *testing.T) {
	t.Parallel()

	proxy, _, _, requests := counting(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "", http.StatusNotFound)
	})

	target, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}

	client := newLocalClient(t, Options{})
	client.pools.proxy = http.ProxyURL(target)

	for issuer, want := range map[string]string{
		"http://169.254.169.254":    "The host 169.254.169.254 of issuer leads to a cloud metadata address",
		"http://id.example.invalid": "The issuer at id.example.invalid (behind the proxy of the environment) has no metadata",
	} {
		if _, err := client.Discover(t.Context(), MetadataRequest{Issuer: issuer}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}

	if n := requests.Load(); n != 2 {
		t.Errorf("%d requests to the proxy", n)
	}
}

package standin_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/tokensync/tokensync/test/standin"
)

func BenchmarkToken(b *testing.B) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}, "scope": {tenant}}.Encode()
	server := standin.NewSyncronex(standin.Options{Clients: map[string]string{id: secret}})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, standin.TokenPath, strings.NewReader(form))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			server.ServeHTTP(httptest.NewRecorder(), r)
		}
	})
}

func BenchmarkTokenOverTheWire(b *testing.B) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}, "scope": {tenant}}.Encode()
	server := standin.NewSyncronex(standin.Options{Clients: map[string]string{id: secret}})
	baseURL, stop, err := server.Listen()
	if err != nil {
		b.Fatal(err)
	}
	defer stop()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, baseURL+standin.TokenPath, strings.NewReader(form))
			if err != nil {
				b.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			response, err := client.Do(r)
			if err != nil {
				b.Fatal(err)
			}
			_, err = io.Copy(io.Discard, response.Body)
			if err := errors.Join(err, response.Body.Close()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

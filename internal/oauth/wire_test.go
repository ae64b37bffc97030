package oauth_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

// listen answers one request at a URL, and returns what it received, byte by
// byte, with HOST in the place of its own name and JWT in that of each JWT.
func listen(t *testing.T, config *tls.Config) (tokenURL string, received func() string) {
	t.Helper()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { listener.Close() }) //nolint:errcheck // it ends with the test

	scheme, host := "http://", listener.Addr().String()
	if config != nil {
		scheme, listener = "https://", tls.NewListener(listener, config)
	}

	wire := make(chan string, 1)

	go func() {
		defer close(wire)

		connection, err := listener.Accept()
		if err != nil {
			return
		}
		defer connection.Close() //nolint:errcheck // it ends with the test

		var raw bytes.Buffer

		request, err := http.ReadRequest(bufio.NewReaderSize(io.TeeReader(connection, &raw), 1))
		if err != nil {
			t.Error(err)

			return
		}

		if _, err := io.Copy(io.Discard, request.Body); err != nil {
			t.Error(err)
		}

		wire <- raw.String()

		if _, err := io.WriteString(connection, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"+good); err != nil {
			t.Error(err)
		}
	}()

	jwt := regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`)

	return scheme + host + "/oauth/token", func() string {
		return jwt.ReplaceAllString(strings.ReplaceAll(<-wire, host, "HOST"), "JWT")
	}
}

// raw returns a request as it goes over the wire, its headers in the order of
// net/http.
func raw(method, target string, length int, headers []string, body string) string {
	lines := []string{method + " " + target + " HTTP/1.1", "Host: HOST", "User-Agent: tokensync"}
	if length > 0 || method != http.MethodGet {
		lines = append(lines, "Content-Length: "+strconv.Itoa(length))
	}

	lines = append(append(lines, headers...), "Accept-Encoding: gzip")
	// A connection that no request has used before is used by none again.
	if length == 0 {
		lines = append(lines, "Connection: close")
	}

	return strings.Join(append(lines, "", body), "\r\n")
}

const (
	accept = "Accept: application/json"
	asForm = "Content-Type: application/x-www-form-urlencoded"
	asJSON = "Content-Type: application/json"
)

func TestTheWire(t *testing.T) {
	t.Parallel()

	const (
		jwtType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
		escaped = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
	)

	certificate, _ := selfSigned(t, inTheFuture())

	for name, client := range map[string]struct {
		oauth.ClientAuthentication

		authorization, form, json string
		// bodyless says that the method needs no parameters.
		bodyless bool
	}{
		"client_secret_basic": {
			ClientAuthentication: oauth.ClientAuthentication{
				Method: oauth.MethodClientSecretBasic, ID: "me", Secret: redact.New("s<&>\""),
			},
			authorization: "Authorization: Basic bWU6cyUzQyUyNiUzRSUyMg==", bodyless: true,
		},
		"client_secret_post": {
			ClientAuthentication: oauth.ClientAuthentication{
				Method: oauth.MethodClientSecretPost, ID: "me", Secret: redact.New("s<&>\""),
			},
			form: "&client_id=me&client_secret=s%3C%26%3E%22", json: `,"client_id":"me","client_secret":"s<&>\""`,
		},
		"client_secret_jwt": {
			ClientAuthentication: oauth.ClientAuthentication{
				Method: oauth.MethodClientSecretJWT, ID: "me", Secret: redact.New(strings.Repeat("s3cret", 6)),
			},
			form: "&client_id=me&client_assertion_type=" + escaped + "&client_assertion=JWT",
			json: `,"client_id":"me","client_assertion_type":"` + jwtType + `","client_assertion":"JWT"`,
		},
		"private_key_jwt": {
			ClientAuthentication: oauth.ClientAuthentication{
				Method: oauth.MethodPrivateKeyJWT, ID: "me", Key: ellipticKey(t).key,
			},
			form: "&client_id=me&client_assertion_type=" + escaped + "&client_assertion=JWT",
			json: `,"client_id":"me","client_assertion_type":"` + jwtType + `","client_assertion":"JWT"`,
		},
		"private_key_jwt with a token": {
			ClientAuthentication: oauth.ClientAuthentication{
				Method: oauth.MethodPrivateKeyJWT, Token: redact.New("a token"),
			},
			form: "&client_assertion_type=" + escaped + "&client_assertion=a+token",
			json: `,"client_assertion_type":"` + jwtType + `","client_assertion":"a token"`,
		},
		"private_key_jwt with a token and an ID": {
			ClientAuthentication: oauth.ClientAuthentication{
				Method: oauth.MethodPrivateKeyJWT, ID: "me", Token: redact.New("a token"),
			},
			form: "&client_id=me&client_assertion_type=" + escaped + "&client_assertion=a+token",
			json: `,"client_id":"me","client_assertion_type":"` + jwtType + `","client_assertion":"a token"`,
		},
		"tls_client_auth": {
			ClientAuthentication: oauth.ClientAuthentication{
				Method: oauth.MethodTLSClientAuth, ID: "me", Certificate: &certificate,
			},
			form: "&client_id=me", json: `,"client_id":"me"`,
		},
		"self_signed_tls_client_auth": {
			ClientAuthentication: oauth.ClientAuthentication{
				Method: oauth.MethodSelfSignedTLSClientAuth, ID: "me", Certificate: &certificate,
			},
			form: "&client_id=me", json: `,"client_id":"me"`,
		},
		"none": {
			ClientAuthentication: oauth.ClientAuthentication{Method: oauth.MethodNone}, bodyless: true,
		},
		"none with an ID": {
			ClientAuthentication: oauth.ClientAuthentication{Method: oauth.MethodNone, ID: "me"},
			form:                 "&client_id=me", json: `,"client_id":"me"`, bodyless: true,
		},
	} {
		form := "grant_type=client_credentials&scope=a+b&audience=x&audience=y" + client.form
		query := "/oauth/token?" + form
		object := `{"grant_type":"client_credentials","scope":"a b","audience":["x","y"]` + client.json + `}`

		headers := []string{accept}
		if client.authorization != "" {
			headers = append(headers, client.authorization)
		}

		asForm, asJSON := append(slices.Clip(headers), asForm), append(slices.Clip(headers), asJSON)
		tests := map[string]struct {
			method string
			format oauth.BodyFormat
			want   string
		}{
			"POST a form": {"", "", raw(http.MethodPost, "/oauth/token", len(form), asForm, form)},
			"PUT a form":  {http.MethodPut, oauth.BodyForm, raw(http.MethodPut, "/oauth/token", len(form), asForm, form)},
			"POST JSON":   {http.MethodPost, oauth.BodyJSON, raw(http.MethodPost, "/oauth/token", len(object), asJSON, object)},
			"GET a query": {http.MethodGet, oauth.BodyQuery, raw(http.MethodGet, query, 0, headers, "")},
			"PUT a query": {http.MethodPut, oauth.BodyQuery, raw(http.MethodPut, query, 0, headers, "")},
		}

		if client.bodyless {
			for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPost} {
				tests[method+" nothing"] = struct {
					method string
					format oauth.BodyFormat
					want   string
				}{method, oauth.BodyNone, raw(method, "/oauth/token", 0, headers, "")}
			}
		}

		for format, test := range tests {
			t.Run(name+", "+format, func(t *testing.T) {
				t.Parallel()

				checkWire(t, test.want, oauth.Request{
					Method: test.method, BodyFormat: test.format, Client: client.ClientAuthentication,
					GrantType: "client_credentials", Scopes: []string{"a", "b"}, Audiences: []string{"x", "y"},
				})
			})
		}
	}
}

// checkWire makes a request and compares the bytes. With a client certificate it
// goes over TLS to a server that demands one.
func checkWire(t *testing.T, want string, request oauth.Request) {
	t.Helper()

	var config *tls.Config

	if request.Client.Certificate != nil {
		certificate, authority := selfSigned(t, inTheFuture())
		config = &tls.Config{
			Certificates: []tls.Certificate{certificate}, ClientAuth: tls.RequireAnyClientCert,
			MinVersion: tls.VersionTLS12,
		}
		request.CABundle = authority
	}

	query := request.TokenURL

	var received func() string

	request.TokenURL, received = listen(t, config)
	request.TokenURL += query
	request.Timeout = 10 * time.Second

	if _, err := newClient(t).Token(t.Context(), request); err != nil {
		t.Fatal(err)
	}

	got := received()
	// The length of a JWT differs from the word that stands for it.
	if strings.Contains(want, "JWT") {
		length := regexp.MustCompile(`Content-Length: [1-9]\d*`)
		got, want = length.ReplaceAllString(got, "Content-Length: N"), length.ReplaceAllString(want, "Content-Length: N")
	}

	if diff := cmp.Diff(strings.Split(want, "\r\n"), strings.Split(got, "\r\n")); diff != "" {
		t.Error(diff)
	}
}

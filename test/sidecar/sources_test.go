package sidecar_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// content is what a source holds.
type content struct {
	token string
	// expiresAt is zero where that is not known.
	expiresAt time.Time
	// more are the keys beside those of the token.
	more map[string]string
}

// holding is content with a token and its copy.
func holding(token string, expiresAt time.Time) content {
	return content{token: token, expiresAt: expiresAt, more: map[string]string{copyKey: token}}
}

// data are the keys of a Secret.
func (c content) data() map[string]string {
	data := maps.Clone(c.more)
	data[tokenKey], data["token_type"] = c.token, "Bearer"
	if !c.expiresAt.IsZero() {
		data["expires_at"] = c.expiresAt.UTC().Format(time.RFC3339)
	}
	return data
}

// files are what is expected of them: agent.files leaves the expiry out.
func (c content) files() map[string]string {
	data := c.data()
	delete(data, "expires_at")
	return data
}

// source is a source of the sidecar, and whatever is behind it. It holds nothing yet.
type source interface {
	// arguments name it to a sidecar.
	arguments() []string
	// put has it hold something, from the first time on or after it was taken away.
	put(ctx context.Context, c content)
	// takeAway takes away what it holds, or whoever has that.
	takeAway(ctx context.Context)
	// holdsExpired tells whether it can hold a token that has expired.
	holdsExpired() bool
}

// watched is a Secret in the API.
type watched struct{ namespace string }

func newWatched(ctx context.Context) source { return &watched{namespace: createNamespace(ctx)} }

func (w *watched) arguments() []string {
	return []string{"--secret=api", "--namespace=" + w.namespace, "--kubeconfig=" + controlPlane.Kubeconfig}
}

func (w *watched) holdsExpired() bool { return true }

func (w *watched) secret(data map[string]string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "api"}, StringData: data}
}

func (w *watched) put(ctx context.Context, c content) {
	GinkgoHelper()
	Expect(w.write(ctx, c)).To(Succeed())
}

func (w *watched) write(ctx context.Context, c content) error {
	secret := w.secret(nil)
	secret.Data = map[string][]byte{}
	for key, value := range c.data() {
		secret.Data[key] = []byte(value)
	}
	err := controlPlane.Client.Update(ctx, secret)
	if apierrors.IsNotFound(err) {
		return controlPlane.Client.Create(ctx, secret)
	}
	return err
}

func (w *watched) takeAway(ctx context.Context) {
	GinkgoHelper()
	Expect(controlPlane.Client.Delete(ctx, w.secret(nil))).To(Succeed())
}

// volume is a directory that is kept as the kubelet keeps one for a Secret: the files of a
// version are in a directory of their own, to which ..data leads, and by that the links of
// all keys.
type volume struct {
	directory string
	version   int
}

func newVolume(context.Context) source { return &volume{directory: memory()} }

func (v *volume) arguments() []string { return []string{"--mount=" + v.directory} }

func (v *volume) put(_ context.Context, c content) { v.write(c.data()) }

func (v *volume) holdsExpired() bool { return true }

// takeAway empties it, which the kubelet does for an optional Secret that was deleted.
func (v *volume) takeAway(context.Context) { v.write(nil) }

func (v *volume) write(data map[string]string) {
	GinkgoHelper()
	at := func(name string) string { return filepath.Join(v.directory, name) }
	before, _ := os.Readlink(at("..data")) // There is none at first.
	v.version++
	version := fmt.Sprintf("..2026_11_22_%d", v.version)
	Expect(os.Mkdir(at(version), 0o755)).To(Succeed())
	for key, value := range data {
		Expect(os.WriteFile(filepath.Join(at(version), key), []byte(value), 0o644)).To(Succeed())
	}
	Expect(os.Symlink(version, at("..data_tmp"))).To(Succeed())
	Expect(os.Rename(at("..data_tmp"), at("..data"))).To(Succeed())
	for key := range data {
		if _, err := os.Lstat(at(key)); err != nil {
			Expect(os.Symlink("..data/"+key, at(key))).To(Succeed())
		}
	}
	entries, err := os.ReadDir(v.directory)
	Expect(err).NotTo(HaveOccurred())
	for _, entry := range entries {
		if _, wanted := data[entry.Name()]; !wanted && !strings.HasPrefix(entry.Name(), "..") {
			Expect(os.Remove(at(entry.Name()))).To(Succeed())
		}
	}
	if before != "" {
		Expect(os.RemoveAll(at(before))).To(Succeed())
	}
}

// asked is a provider, and the manifest of a credential that leads to it.
type asked struct {
	directory string
	server    *httptest.Server
	rotations int
	// manifest is the one that was written last.
	manifest string

	mu sync.Mutex
	// held is what it answers, without a token where it is away.
	held content
}

func newAsked(context.Context) source {
	GinkgoHelper()
	a := &asked{directory: GinkgoT().TempDir()}
	a.server = httptest.NewServer(a)
	DeferCleanup(a.server.Close)
	Expect(os.MkdirAll(filepath.Join(a.directory, "secrets", "client"), 0o700)).To(Succeed())
	a.rotate()
	a.declare(holding("", time.Time{}))
	return a
}

func (a *asked) arguments() []string {
	return []string{
		"--credential-file=" + filepath.Join(a.directory, "credential.yaml"), "--secrets-dir=" + filepath.Join(a.directory, "secrets"),
		"--egress-allow-cidr=127.0.0.0/8", "--allow-insecure-http",
	}
}

// put has the provider answer a token from now on, and gives a reason to ask for it: other
// keys, or another client secret.
func (a *asked) put(_ context.Context, c content) {
	GinkgoHelper()
	a.hold(c)
	if !a.declare(c) {
		a.rotate()
	}
}

func (a *asked) holdsExpired() bool { return false }

func (a *asked) takeAway(context.Context) { a.hold(content{}) }

func (a *asked) hold(c content) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.held = c
}

// declare writes the manifest, if it is another one than before.
func (a *asked) declare(c content) bool {
	GinkgoHelper()
	text := fmt.Sprintf(`apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: api}
spec:
  provider: {tokenURL: %q}
  client: {id: app, secretRef: {name: client, key: secret}}
  secret:
    data:
      access_token: token.access_token
      token_type: token.token_type
`, a.server.URL)
	for _, key := range slices.Sorted(maps.Keys(c.more)) {
		expression := fmt.Sprintf("'%q'", c.more[key])
		if c.more[key] == c.token {
			expression = "token.access_token"
		}
		text += fmt.Sprintf("      %s: %s\n", key, expression)
	}
	if text == a.manifest {
		return false
	}
	a.manifest = text
	a.replace("credential.yaml", text)
	return true
}

// rotate gives the client another secret.
func (a *asked) rotate() {
	GinkgoHelper()
	a.rotations++
	a.replace("secrets/client/secret", fmt.Sprintf("secret-%d", a.rotations))
}

// replace replaces a file as a whole.
func (a *asked) replace(name, text string) {
	GinkgoHelper()
	fresh := filepath.Join(a.directory, "new")
	Expect(os.WriteFile(fresh, []byte(text), 0o600)).To(Succeed())
	Expect(os.Rename(fresh, filepath.Join(a.directory, name))).To(Succeed())
}

// ServeHTTP is the token endpoint.
func (a *asked) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	a.mu.Lock()
	held := a.held
	a.mu.Unlock()
	if held.token == "" {
		panic(http.ErrAbortHandler) // The connection breaks off.
	}
	answer := fmt.Sprintf(`"access_token": %q, "token_type": "Bearer"`, held.token)
	if !held.expiresAt.IsZero() {
		answer += fmt.Sprintf(`, "expires_in": %.0f`, math.Ceil(time.Until(held.expiresAt).Seconds()))
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, "{%s}", answer) // Whoever is gone needs no answer.
}

package engine

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// lastMessage is that of the last failure which was logged.
func (s *stage) lastMessage() string {
	var entry, last struct{ Msg, Reason, Message string }
	for line := range strings.Lines(s.log.String()) {
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == missing {
			last = entry
		}
	}
	return last.Reason + ": " + last.Message
}

// TestMissingSources: the message names what to create, and no sooner is it there than a
// token is asked for.
func TestMissingSources(t *testing.T) {
	t.Parallel()
	secret := func(s *stage, parts ...string) string {
		return filepath.Join(append([]string{s.options.SecretsDir, secretName}, parts...)...)
	}
	for name, test := range map[string]struct {
		breaks func(t *testing.T, s *stage)
		says   func(s *stage) string
		mends  func(s *stage)
	}{
		"no directory": {
			func(t *testing.T, s *stage) {
				t.Helper()
				remove(t, s.options.SecretsDir)
			},
			func(s *stage) string { return "create the directory " + secret(s) + ", with a file for each key" }, nil,
		},
		"no key": {
			func(t *testing.T, s *stage) {
				t.Helper()
				remove(t, secret(s))
				s.project(secretName, map[string]string{"other": "x"})
			},
			func(s *stage) string {
				return `has no key "client_secret": create the file ` + secret(s, "client_secret")
			}, nil,
		},
		"nothing in it": {
			func(t *testing.T, s *stage) {
				t.Helper()
				s.project(secretName, map[string]string{"client_secret": ""})
			},
			func(s *stage) string { return "give the file " + secret(s, "client_secret") + " a content" }, nil,
		},
		"no mount": {
			func(t *testing.T, s *stage) {
				t.Helper()
				s.options.SecretsDir = ""
			},
			func(*stage) string { return "add it there, or mount it and give --secrets-dir" },
			func(s *stage) { s.writeManifest(manifestOf(s.provider.URL) + inFile("client_secret", "s")) },
		},
		"no key in the file": {
			func(t *testing.T, s *stage) {
				t.Helper()
				s.writeManifest(manifestOf(s.provider.URL) + inFile("other", "s"))
			},
			func(*stage) string { return `has no key "client_secret": add it in the file of the credential` },
			func(s *stage) { s.writeManifest(manifestOf(s.provider.URL) + inFile("client_secret", "s")) },
		},
		"nothing in the file": {
			func(t *testing.T, s *stage) {
				t.Helper()
				s.writeManifest(manifestOf(s.provider.URL) + inFile("client_secret", ""))
			},
			func(*stage) string { return "give it a value in the file of the credential" },
			func(s *stage) { s.writeManifest(manifestOf(s.provider.URL) + inFile("client_secret", "s")) },
		},
		"a type with powers": {
			func(t *testing.T, s *stage) {
				t.Helper()
				s.writeManifest(manifestOf(s.provider.URL) + inFile("client_secret", "s") + "type: kubernetes.io/service-account-token\n")
			},
			func(*stage) string { return "SourceSecretRefused" },
			func(s *stage) { s.writeManifest(manifestOf(s.provider.URL) + inFile("client_secret", "s")) },
		},
		"a file in the way": {
			func(t *testing.T, s *stage) {
				t.Helper()
				remove(t, secret(s))
				put(t, secret(s), "")
			},
			func(s *stage) string { return secret(s) + " cannot be read" },
			func(s *stage) {
				remove(s.t, secret(s))
				s.project(secretName, map[string]string{"client_secret": "s"})
			},
		},
		"a way out": {
			func(t *testing.T, s *stage) {
				t.Helper()
				s.writeManifest(strings.Replace(manifestOf(s.provider.URL), "name: "+secretName, "name: ../secrets/"+secretName, 1))
			},
			func(*stage) string { return "no Secret can have the name" },
			func(s *stage) { s.writeManifest(manifestOf(s.provider.URL)) },
		},
		"a CA": {
			func(t *testing.T, s *stage) {
				t.Helper()
				s.writeManifest(withCA(s))
			},
			func(s *stage) string {
				return `the ConfigMap "ca", which spec.provider.tls.caRef names, is neither in the file of the credential nor mounted: create the directory ` +
					filepath.Join(s.options.ConfigMapsDir, "ca")
			},
			func(s *stage) { s.writeManifest(manifestOf(s.provider.URL)) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			test.breaks(t, s)
			s.open().after(30 * time.Second)
			s.expect(0, "")
			if message := s.lastMessage(); !strings.Contains(message, test.says(s)) {
				t.Errorf("it says %q", message)
			}
			if test.mends == nil {
				s.project(secretName, map[string]string{"client_secret": "s"})
			} else {
				test.mends(s)
			}
			s.settle()
			s.expect(1, "token-1")
			if s.log.count(missing) != 1 {
				t.Errorf("told %d times", s.log.count(missing))
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func inFile(key, value string) string {
	return fmt.Sprintf("---\napiVersion: v1\nkind: Secret\nmetadata: {name: %s}\nstringData: {%s: %q}\n", secretName, key, value)
}

func withCA(s *stage) string {
	return strings.Replace(manifestOf(s.provider.URL), "/oauth/token}", "/oauth/token, tls: {caRef: {kind: ConfigMap, name: ca, key: ca.crt}}}", 1)
}

// TestMountedCA is used: one that is none is refused, by the operator's own words.
func TestMountedCA(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.writeManifest(withCA(s))
	project(t, filepath.Join(s.options.ConfigMapsDir, "ca"), map[string]string{"ca.crt": "no certificate"})
	s.open()
	s.expect(0, "")
	if message := s.lastMessage(); !strings.HasPrefix(message, "InvalidKey") {
		t.Errorf("it says %q", message)
	}
}

// TestTheFileComesFirst: a Secret in the manifest itself wins.
func TestTheFileComesFirst(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.writeManifest(manifestOf(s.provider.URL) + inFile("client_secret", "from-the-file"))
	s.open()
	s.expect(1, "token-1")
	if header := s.provider.heard()[0].header.Get("Authorization"); header != basic("app", "from-the-file") {
		t.Errorf("sent %q", header)
	}
	s.writeManifest(manifestOf(s.provider.URL) + inFile("client_secret", "changed"))
	s.after(time.Second)
	s.expect(2, "token-2")
}

// TestIdentity: the projected token is the client assertion, read anew for each request.
func TestIdentity(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.options.ServiceAccountToken = filepath.Join(s.dir, "token")
	s.writeManifest(strings.Replace(manifestOf(s.provider.URL), "secretRef: {name: "+secretName+", key: client_secret}",
		"serviceAccount: {name: robot, audience: api}", 1))
	s.open()
	s.expect(0, "")
	if message := s.lastMessage(); !strings.HasPrefix(message, "ServiceAccountRefused") {
		t.Errorf("it says %q", message)
	}
	for i := range 2 {
		token := jwtOf(t, map[string]any{"sub": podSubject, "aud": "api", "jti": fmt.Sprint(i)})
		put(t, s.options.ServiceAccountToken, token)
		s.after(time.Duration(i*40+6) * time.Minute)
		if requests := s.provider.heard(); len(requests) != i+1 || requests[i].form.Get("client_assertion") != token {
			t.Fatalf("there were %d requests", len(requests))
		}
	}
}

package settings

import (
	"errors"
	"io/fs"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/internal/sidecar/loopback"
)

func plain() cmp.Options {
	return cmp.Options{
		cmpopts.IgnoreUnexported(Settings{}), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
		cmp.Comparer(func(a, b loopback.Address) bool { return a.String() == b.String() }),
	}
}

func mustURL(t *testing.T, text string) *url.URL {
	t.Helper()
	parsed, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func mustAddress(t *testing.T, text string) *loopback.Address {
	t.Helper()
	parsed, err := loopback.Parse("--flag", text)
	if err != nil {
		t.Fatal(err)
	}
	return &parsed
}

func TestParse(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		arguments, environ string
		want               func(s *Settings)
	}{
		"flags": {
			arguments: "--secret my.token --namespace apps --kubeconfig /k --output-dir=/o --output-mode 0640 --output-group 1000",
			want: func(s *Settings) {
				s.Source.Secret, s.Source.Namespace, s.Source.Kubeconfig = "my.token", "apps", "/k"
				s.Sinks.OutputDir, s.Sinks.OutputMode, s.Sinks.OutputGroup = "/o", 0o640, 1000
			},
		},
		"variables": {
			environ: "TOKENSYNC_SECRET=t TOKENSYNC_OUTPUT_DIR=/o TOKENSYNC_ONCE=true TOKENSYNC_POD_IP=10.0.0.7 " +
				"TOKENSYNC_HOST_IP=fd00::1 KUBERNETES_SERVICE_HOST=10.0.0.1 PATH=/bin TOKENSYNCED=1 TOKENSYNC=1",
			want: func(s *Settings) {
				s.Source.Secret, s.Sinks.OutputDir, s.Life.Once = "t", "/o", true
				s.Sinks.PodIP, s.Sinks.HostIP, s.Sinks.InCluster = "10.0.0.7", "fd00::1", true
			},
		},
		"a flag wins, and nobody looks at the variable": {
			arguments: "--mount /m --output-mode=0600 --output-dir /o",
			environ:   "TOKENSYNC_MOUNT=/other TOKENSYNC_OUTPUT_MODE=rw",
			want: func(s *Settings) {
				s.Source.Mount, s.Sinks.OutputDir, s.Sinks.OutputMode = "/m", "/o", 0o600
			},
		},
		"an empty value is none, and an empty flag wins, too": {
			arguments: "--secret= --mount /m --token-key=",
			environ:   "TOKENSYNC_SECRET=t TOKENSYNC_OUTPUT_DIR=/o TOKENSYNC_PROXY_LISTEN= TOKENSYNC_TOKEN_KEY=k TOKENSYNC_NO_SUCH=",
			want:      func(s *Settings) { s.Source.Mount, s.Sinks.OutputDir = "/m", "/o" },
		},
		"a switch that is off needs nothing": {
			arguments: "--mount /m --output-dir /o --egress-use-proxy=false --probe=false",
			environ:   "TOKENSYNC_ALLOW_INSECURE_HTTP=false TOKENSYNC_VERSION=0",
			want:      func(s *Settings) { s.Source.Mount, s.Sinks.OutputDir = "/m", "/o" },
		},
		"a credential": {
			arguments: "--credential-file /c --credential n --secrets-dir /s --config-maps-dir /m --service-account-token /t " +
				"--egress-allow-cidr 10.0.0.0/8 --egress-allow-cidr fd00::/8,10.1.0.0/16 --egress-use-proxy --allow-insecure-http " +
				"--secret-output out --namespace n",
			environ: "TOKENSYNC_EGRESS_DENY_CIDR=1.0.0.0/8,2.0.0.0/8",
			want: func(s *Settings) {
				s.Source.CredentialFile, s.Source.Credential, s.Source.SecretsDir, s.Source.ConfigMapsDir = "/c", "n", "/s", "/m"
				s.Source.ServiceAccountToken, s.Source.EgressUseProxy, s.Source.AllowInsecureHTTP = "/t", true, true
				s.Source.EgressAllow = []netip.Prefix{
					netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("10.1.0.0/16"),
				}
				s.Source.EgressDeny = []netip.Prefix{netip.MustParsePrefix("1.0.0.0/8"), netip.MustParsePrefix("2.0.0.0/8")}
				s.Sinks.SecretOutput, s.Source.Namespace = "out", "n"
			},
		},
		"a list of a flag takes the place of the one of the variable": {
			arguments: "--credential-file /c --output-dir /o --egress-deny-cidr 3.0.0.0/8",
			environ:   "TOKENSYNC_EGRESS_DENY_CIDR=1.0.0.0/8,2.0.0.0/8",
			want: func(s *Settings) {
				s.Source.CredentialFile, s.Sinks.OutputDir = "/c", "/o"
				s.Source.EgressDeny = []netip.Prefix{netip.MustParsePrefix("3.0.0.0/8")}
			},
		},
		"served": {
			arguments: "--mount /m --token-address localhost:1 --proxy-listen unix:/p --proxy-upstream https://u.example/v1 " +
				"--allow-host-network --health-address 0 --log-level trace --log-format text --type-key t --expiry-key e --token-key k",
			want: func(s *Settings) {
				s.Source.Mount, s.Sinks.AllowHostNetwork, s.Life.HealthAddress = "/m", true, "0"
				s.Sinks.TokenAddress, s.Sinks.ProxyListen = mustAddress(t, "127.0.0.1:1"), mustAddress(t, "unix:/p")
				s.Sinks.ProxyUpstream = mustURL(t, "https://u.example/v1")
				s.Life.LogLevel, s.Life.LogFormat = -5, "text"
				s.Source.Keys = sidecar.Keys{Token: "k", Type: "t", Expiry: "e"}
			},
		},
		"an insecure upstream that is allowed": {
			arguments: "--mount /m --proxy-listen unix:/p --proxy-upstream http://u:8080 --proxy-insecure-upstream",
			want: func(s *Settings) {
				s.Source.Mount, s.Sinks.ProxyListen, s.Sinks.ProxyInsecureUpstream = "/m", mustAddress(t, "unix:/p"), true
				s.Sinks.ProxyUpstream = mustURL(t, "http://u:8080")
			},
		},
		"notify": {
			arguments: "--secret t --output-dir /o --notify-process nginx --notify-signal SIGusr1 --notify-url http://127.0.0.1:1/r?k=v",
			want: func(s *Settings) {
				s.Source.Secret, s.Sinks.OutputDir, s.Notify.Process, s.Notify.Signal = "t", "/o", "nginx", "USR1"
				s.Notify.URL = mustURL(t, "http://127.0.0.1:1/r?k=v")
			},
		},
		"Services whose names begin with tokensync": {
			arguments: "--secret t --output-dir /o",
			environ: "TOKENSYNC_SERVICE_HOST=10.0.0.1 TOKENSYNC_SERVICE_PORT=80 TOKENSYNC_SERVICE_PORT_HTTP=80 TOKENSYNC_PORT=tcp://10.0.0.1:80 " +
				"TOKENSYNC_PORT_80_TCP=tcp://10.0.0.1:80 TOKENSYNC_PORT_80_TCP_PROTO=tcp TOKENSYNC_PORT_80_TCP_PORT=80 " +
				"TOKENSYNC_PORT_80_TCP_ADDR=10.0.0.1 TOKENSYNC_SECRET_SERVICE_HOST=fd00::1 TOKENSYNC_OUTPUT_DIR_2_SERVICE_PORT=53 " +
				"TOKENSYNC_FOO_PORT=udp://[fd00::1]:53 TOKENSYNC_FOO_PORT_53_UDP_ADDR=fd00::1 TOKENSYNC_FOO_PORT_9_SCTP=sctp://10.0.0.1:9",
			want: func(s *Settings) { s.Source.Secret, s.Sinks.OutputDir = "t", "/o" },
		},
		"a probe has the environment of the container": {
			arguments: "--probe",
			environ:   "TOKENSYNC_SECRET=NO TOKENSYNC_MOUNT=/m TOKENSYNC_OUTPUT_MODE=9 TOKENSYNC_NONE=1 TOKENSYNC_HEALTH_ADDRESS=unix:/h",
			want:      func(s *Settings) { s.Life.Probe, s.Life.HealthAddress = true, "unix:/h" },
		},
		"a version needs nothing": {
			arguments: "--version --probe --health-address x", environ: "TOKENSYNC_NONE=1",
			want: func(s *Settings) { s.Life.Version = true },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := defaults()
			test.want(want)
			got, err := Parse(strings.Fields(test.arguments), strings.Fields(test.environ))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, plain()); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	got, err := Parse([]string{"--secret=t", "--output-dir=/o"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &Settings{
		Source: Source{Secret: "t", Keys: sidecar.Keys{Token: "access_token", Type: "token_type", Expiry: "expires_at"}},
		Sinks:  Sinks{OutputDir: "/o", OutputMode: fs.FileMode(0o644), OutputGroup: -1},
		Notify: Notify{Signal: "HUP"},
		Life:   Life{HealthAddress: ":9808", LogFormat: "json"},
	}
	if diff := cmp.Diff(want, got, plain()); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestOrigin(t *testing.T) {
	t.Parallel()
	s, err := Parse([]string{"--secret=t"}, []string{"TOKENSYNC_TOKEN_ADDRESS=127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"secret": "--secret", "token-address": "TOKENSYNC_TOKEN_ADDRESS", "proxy-listen": "--proxy-listen",
	} {
		if got := s.Origin(name); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestLogHandler(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "text"} {
		s, err := Parse([]string{"--secret=t", "--output-dir=/o", "--log-level=debug", "--log-format=" + format}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if h := s.LogHandler(&strings.Builder{}); !h.Enabled(t.Context(), -4) || h.Enabled(t.Context(), -5) {
			t.Errorf("%s: the level is another", format)
		}
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	if _, err := Parse([]string{"--help"}, []string{"TOKENSYNC_NONE=1"}); !errors.Is(err, ErrHelp) {
		t.Errorf("got %v", err)
	}
	usage := Usage()
	for _, o := range defaults().options() {
		name := "--" + o.name
		if o.variableOnly {
			name = o.variable()
		}
		if strings.Count(usage, "  "+name+" ") != 1 {
			t.Errorf("the help text does not have %s once", name)
		}
	}
	for line := range strings.Lines(usage) {
		if len(line) > 120 {
			t.Errorf("a line is too long: %s", line)
		}
	}
}

// TestNoSettingLooksLikeAService holds because such a variable is passed over.
func TestNoSettingLooksLikeAService(t *testing.T) {
	t.Parallel()
	for _, o := range defaults().options() {
		if isServiceLink(o.variable(), "tcp://10.0.0.1:80") {
			t.Errorf("%s could be that of a Service", o.variable())
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("--secret\nt\n--output-dir\n/o", "TOKENSYNC_POD_IP=10.0.0.7")
	f.Add("--credential-file=c\n--secret-output=o", "TOKENSYNC_OUTPUT_MODE=0777\nTOKENSYNC_FOO_PORT=tcp://x")
	f.Add("--mount=/m\n--proxy-listen=127.0.0.1:1", "TOKENSYNC_PROXY_UPSTREAM=https://h/%zz")
	f.Add("--mount=/m\n--output-dir=/o", "TOKENSYNC_NOTIFY_URL=http://h:0/?a=b\nTOKENSYNC_NOTIFY_SIGNAL=HUP")
	f.Add("--probe", "TOKENSYNC_HEALTH_ADDRESS=unix:/x")
	f.Fuzz(func(t *testing.T, arguments, environ string) {
		s, err := Parse(strings.Split(arguments, "\n"), strings.Split(environ, "\n"))
		if (s == nil) != (err != nil) {
			t.Fatalf("got %v and %v", s, err)
		}
		if err != nil || s.Life.Version || s.Life.Probe {
			return
		}
		count := func(values ...bool) (n int) {
			for _, v := range values {
				if v {
					n++
				}
			}
			return n
		}
		if count(s.Source.Secret != "", s.Source.Mount != "", s.Source.CredentialFile != "") != 1 {
			t.Error("not one source")
		}
		if count(s.Sinks.OutputDir != "", s.Sinks.SecretOutput != "", s.Sinks.TokenAddress != nil, s.Sinks.ProxyListen != nil) == 0 {
			t.Error("no sink")
		}
		if (s.Sinks.ProxyListen == nil) != (s.Sinks.ProxyUpstream == nil) {
			t.Error("half of a proxy")
		}
		if s.Sinks.OutputMode&^0o666 != 0 || s.Sinks.OutputGroup < -1 {
			t.Error("mode or group")
		}
		if s.Notify.Process != "" && s.Notify.PIDFile != "" {
			t.Error("two receivers of a signal")
		}
	})
}

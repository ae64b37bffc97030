package settings

import (
	"fmt"
	"strings"

	"github.com/tokensync/tokensync/internal/redact"
)

// option is one setting.
type option struct {
	// name is that of the flag, without dashes.
	name string
	// argument and usage are for the help text. An option without an argument is a
	// switch.
	argument, usage string
	// variableOnly says that there is no flag.
	variableOnly bool
	isSwitch     bool
	// isList says that the flag may be given several times.
	isList bool
	// isURL says that a value may hold a secret, in a place where none belongs.
	isURL bool
	// needs are other settings of which one must be given, too.
	needs []string
	// set checks a value and takes it over. The error says what would be right.
	set func(text string) error
	// setNamed is there instead of set where the error names the setting and its value by
	// itself.
	setNamed func(origin, text string) error
}

// take checks a value and takes it over. The error names where the value came from.
func (o option) take(given value) error {
	if o.setNamed != nil {
		return o.setNamed(given.origin, given.text)
	}
	if err := o.set(given.text); err != nil {
		return fmt.Errorf("%s=%s: %w", given.origin, o.shown(given.text), err)
	}
	return nil
}

// variable is the name of the option's environment variable.
func (o option) variable() string {
	return prefix + strings.ToUpper(strings.ReplaceAll(o.name, "-", "_"))
}

// shown is a value as an error may show it.
func (o option) shown(text string) string {
	if o.isURL {
		return redact.URL(text)
	}
	return redact.Message(text)
}

// group is a part of the help text.
type group struct {
	title   string
	options []option
}

func (s *Settings) groups() []group {
	return []group{
		{"Where the token comes from, one of", s.sources()},
		{"With these", s.sourceDetails()},
		{"With --credential-file", s.credential()},
		{"Where it goes, at least one of", s.sinks()},
		{"With these", s.sinkDetails()},
		{"Who is told of new files", s.notify()},
		{"The process", s.life()},
		{"From the downward API, as variables", s.pod()},
	}
}

func (s *Settings) options() []option {
	var all []option
	for _, g := range s.groups() {
		all = append(all, g.options...)
	}
	return all
}

func (s *Settings) sources() []option {
	return []option{
		{name: "secret", argument: "NAME", usage: "this Secret, watched through the API", set: objectName(&s.Source.Secret)},
		{name: "mount", argument: "DIR", usage: "a mounted Secret volume", set: text(&s.Source.Mount)},
		{
			name: "credential-file", argument: "FILE", set: text(&s.Source.CredentialFile),
			usage: "the provider, by a manifest with an OAuthCredential and its provider",
		},
	}
}

func (s *Settings) sourceDetails() []option {
	return []option{
		{
			name: "namespace", argument: "NAMESPACE", usage: "namespace of the Secret, if not that of the pod",
			needs: []string{"secret", "credential-file"}, set: namespace(&s.Source.Namespace),
		},
		{
			name: "kubeconfig", argument: "FILE", usage: "for the API server, if not the pod's ServiceAccount",
			needs: []string{"secret", "secret-output"}, set: text(&s.Source.Kubeconfig),
		},
		{name: "token-key", argument: "KEY", usage: "key of the token (default access_token)", set: key(&s.Source.Keys.Token)},
		{name: "type-key", argument: "KEY", usage: "key of its type (default token_type)", set: key(&s.Source.Keys.Type)},
		{name: "expiry-key", argument: "KEY", usage: "key of its end in RFC 3339 (default expires_at)", set: key(&s.Source.Keys.Expiry)},
	}
}

func (s *Settings) credential() []option {
	own := []string{"credential-file"}
	return []option{
		{
			name: "credential", argument: "NAME", usage: "which OAuthCredential, where the file has several",
			needs: own, set: objectName(&s.Source.Credential),
		},
		{
			name: "secrets-dir", argument: "DIR", usage: "Secrets that the manifest names, as DIR/<name>/<key>",
			needs: own, set: text(&s.Source.SecretsDir),
		},
		{
			name: "config-maps-dir", argument: "DIR", usage: "ConfigMaps that it names, in the same way",
			needs: own, set: text(&s.Source.ConfigMapsDir),
		},
		{
			name: "service-account-token", argument: "FILE", usage: "projected token, where it names a ServiceAccount",
			needs: own, set: text(&s.Source.ServiceAccountToken),
		},
		{
			name: "egress-allow-cidr", argument: "NETWORK", usage: "networks that may be reached although refused by default",
			isList: true, needs: own, set: networks(&s.Source.EgressAllow),
		},
		{
			name: "egress-deny-cidr", argument: "NETWORK", usage: "networks that may never be reached",
			isList: true, needs: own, set: networks(&s.Source.EgressDeny),
		},
		{
			name: "egress-use-proxy", usage: "honor HTTPS_PROXY and NO_PROXY; the proxy must enforce the egress policy",
			isSwitch: true, needs: own, set: boolean(&s.Source.EgressUseProxy),
		},
		{
			name: "allow-insecure-http", usage: "let token URLs begin with http://, which shows secrets to the network",
			isSwitch: true, needs: own, set: boolean(&s.Source.AllowInsecureHTTP),
		},
	}
}

func (s *Settings) sinks() []option {
	return []option{
		{name: "output-dir", argument: "DIR", usage: "files, replaced as a whole", set: text(&s.Sinks.OutputDir)},
		{
			name: "secret-output", argument: "NAME", usage: "a Secret (with --credential-file)",
			needs: []string{"credential-file"}, set: objectName(&s.Sinks.SecretOutput),
		},
		{
			name: "token-address", argument: "ADDRESS", usage: "GET /token on 127.0.0.1:PORT or unix:/path",
			setNamed: loopbackAddress(&s.Sinks.TokenAddress),
		},
		{
			name: "proxy-listen", argument: "ADDRESS", usage: "a proxy on 127.0.0.1:PORT or unix:/path that adds the token",
			setNamed: loopbackAddress(&s.Sinks.ProxyListen),
		},
	}
}

func (s *Settings) sinkDetails() []option {
	return []option{
		{
			name: "output-mode", argument: "MODE", usage: "mode of the files (default 0644)",
			needs: []string{"output-dir"}, set: mode(&s.Sinks.OutputMode),
		},
		{
			name: "output-group", argument: "GID", usage: "group of the files, -1 to leave it (default -1)",
			needs: []string{"output-dir"}, set: groupID(&s.Sinks.OutputGroup),
		},
		{
			name: "proxy-upstream", argument: "URL", usage: "where the proxy leads to, such as https://api.example.com/v1",
			isURL: true, set: upstream(&s.Sinks.ProxyUpstream),
		},
		{
			name: "proxy-insecure-upstream", usage: "let that be http://, which shows the token to the network",
			isSwitch: true, needs: []string{"proxy-upstream"}, set: boolean(&s.Sinks.ProxyInsecureUpstream),
		},
		{
			name: "allow-host-network", usage: "serve token and proxy to the whole node",
			isSwitch: true, needs: []string{"token-address", "proxy-listen"}, set: boolean(&s.Sinks.AllowHostNetwork),
		},
	}
}

func (s *Settings) notify() []option {
	files := []string{"output-dir"}
	return []option{
		{
			name: "notify-process", argument: "NAME", usage: "processes of this name (with shareProcessNamespace)",
			needs: files, set: processName(&s.Notify.Process),
		},
		{
			name: "notify-pid-file", argument: "FILE", usage: "the process whose number is in this file",
			needs: files, set: text(&s.Notify.PIDFile),
		},
		{
			name: "notify-signal", argument: "SIGNAL", usage: "the signal that they get (default HUP)",
			needs: []string{"notify-process", "notify-pid-file"}, set: signal(&s.Notify.Signal),
		},
		{
			name: "notify-url", argument: "URL", usage: "a POST to this URL",
			isURL: true, needs: files, set: hook(&s.Notify.URL),
		},
	}
}

func (s *Settings) life() []option {
	return []option{
		{name: "once", usage: "deliver one token and exit, for init containers", isSwitch: true, set: boolean(&s.Life.Once)},
		{
			name: "health-address", argument: "ADDRESS", set: address(&s.Life.HealthAddress),
			usage: "of /healthz, /readyz and /metrics, 0 for none (default :9808)",
		},
		{
			name: "probe", usage: "ask /readyz there and exit with 0 if it is ready, for images without a shell",
			isSwitch: true, set: boolean(&s.Life.Probe),
		},
		{name: "log-level", argument: "LEVEL", usage: "info, debug or trace (default info)", set: level(&s.Life.LogLevel)},
		{name: "log-format", argument: "FORMAT", usage: "json or text (default json)", set: oneOf(&s.Life.LogFormat, "json", "text")},
		{name: "version", usage: "print the version and exit", isSwitch: true, set: boolean(&s.Life.Version)},
	}
}

func (s *Settings) pod() []option {
	return []option{
		{name: "pod-ip", usage: "status.podIP", variableOnly: true, set: ip(&s.Sinks.PodIP)},
		{name: "host-ip", usage: "status.hostIP", variableOnly: true, set: ip(&s.Sinks.HostIP)},
	}
}

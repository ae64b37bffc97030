package settings

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"net/url"
	"slices"

	"github.com/spf13/pflag"

	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/internal/sidecar/loopback"
)

// ErrHelp is what Parse answers to --help. The text is that of Usage.
var ErrHelp = pflag.ErrHelp

// Settings are the settings of the sidecar. Where Life.Version or Life.Probe is set, no
// more than that and Life.HealthAddress is: the rest was not looked at.
type Settings struct {
	Source Source
	Sinks  Sinks
	Notify Notify
	Life   Life

	// given are the values that were read, by the names of the flags, and flagged are the
	// flags among them, even where they are empty.
	given   map[string]value
	flagged map[string]bool
}

// Source says where the token comes from: exactly one of Secret, Mount and CredentialFile
// is not empty.
type Source struct {
	Secret         string
	Mount          string
	CredentialFile string

	// Namespace is empty where it is that of the pod, and Kubeconfig where the pod's own
	// ServiceAccount is used.
	Namespace  string
	Kubeconfig string

	// Credential is the one to take of CredentialFile, empty where there is only one.
	Credential          string
	SecretsDir          string
	ConfigMapsDir       string
	ServiceAccountToken string

	// Keys are those of the Secret.
	Keys sidecar.Keys

	EgressAllow, EgressDeny []netip.Prefix
	EgressUseProxy          bool
	AllowInsecureHTTP       bool
}

// Sinks says where the token goes, which is at least one of OutputDir, SecretOutput,
// TokenAddress and ProxyListen.
type Sinks struct {
	OutputDir  string
	OutputMode fs.FileMode
	// OutputGroup is -1 where the group stays as it is.
	OutputGroup int

	SecretOutput string

	// TokenAddress and ProxyListen are nil for none.
	TokenAddress *loopback.Address
	ProxyListen  *loopback.Address
	// ProxyUpstream is nil without a proxy. Its scheme is http only where
	// ProxyInsecureUpstream is set.
	ProxyUpstream         *url.URL
	ProxyInsecureUpstream bool

	AllowHostNetwork bool
	// PodIP and HostIP are addresses as the downward API tells them, empty where it was
	// not asked, and InCluster tells whether this is a pod at all.
	PodIP, HostIP string
	InCluster     bool
}

// Notify says who is told of new files.
type Notify struct {
	// Signal is the name of a signal without SIG, such as HUP.
	Signal string
	// Process or PIDFile, of which one is empty, tells who gets the signal.
	Process string
	PIDFile string
	// URL is the HTTP hook, nil for none.
	URL *url.URL
}

// Life says how the process runs.
type Life struct {
	Once    bool
	Probe   bool
	Version bool
	// HealthAddress is `0` where nothing is served.
	HealthAddress string
	LogLevel      slog.Level
	// LogFormat is json or text.
	LogFormat string
}

func defaults() *Settings {
	return &Settings{
		Source: Source{Keys: sidecar.Keys{Token: "access_token", Type: "token_type", Expiry: "expires_at"}},
		Sinks:  Sinks{OutputMode: 0o644, OutputGroup: -1},
		Notify: Notify{Signal: "HUP"},
		Life:   Life{HealthAddress: ":9808", LogFormat: "json"},
		given:  map[string]value{}, flagged: map[string]bool{},
	}
}

// Parse reads the arguments of the process, without its name, and its environment in the
// form of os.Environ. The error is ErrHelp, or tells all that is wrong.
func Parse(arguments, environ []string) (*Settings, error) {
	s := defaults()
	if err := s.parse(arguments, split(environ)); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Settings) parse(arguments []string, environment map[string]string) error {
	options := s.options()
	if err := s.readFlags(options, arguments); err != nil {
		return err
	}
	unknown := s.readVariables(options, environment)
	switch {
	case s.isSet("version"):
		return s.apply(options, "version")
	case s.isSet("probe"):
		// A probe has the environment of the container, in which everything else is the
		// business of the process that it asks.
		return errors.Join(s.apply(options, "probe", "health-address"), s.checkProbe())
	}
	s.Sinks.InCluster = environment["KUBERNETES_SERVICE_HOST"] != ""
	if err := errors.Join(unknown, s.apply(options)); err != nil {
		return err
	}
	return s.check(options)
}

// apply gives settings the values that were read for them: those that are named, or else
// all of them.
func (s *Settings) apply(options []option, names ...string) error {
	var wrong []error
	for _, o := range options {
		given, ok := s.given[o.name]
		if !ok || len(names) > 0 && !slices.Contains(names, o.name) {
			continue
		}
		if err := o.take(given); err != nil {
			wrong = append(wrong, err)
		}
	}
	return errors.Join(wrong...)
}

// Origin is how the user set a setting: the flag, or the variable with which its value was
// given. name is that of the flag without dashes.
func (s *Settings) Origin(name string) string {
	if given, ok := s.given[name]; ok {
		return given.origin
	}
	return "--" + name
}

// LogHandler makes a handler for the log, of the level and in the format that were set.
func (s *Settings) LogHandler(into io.Writer) slog.Handler {
	options := &slog.HandlerOptions{Level: s.Life.LogLevel}
	if s.Life.LogFormat == "text" {
		return slog.NewTextHandler(into, options)
	}
	return slog.NewJSONHandler(into, options)
}

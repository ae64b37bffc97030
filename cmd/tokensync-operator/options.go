package main

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// options are the settings of the operator.
type options struct {
	kubeconfig string

	metricsAddress string
	probeAddress   string

	leaderElect     bool
	leaderNamespace string
	leaseDuration   time.Duration
	renewDeadline   time.Duration
	retryPeriod     time.Duration

	watchNamespaces         []string
	maxConcurrentReconciles int
	kubeAPIQPS              float32
	kubeAPIBurst            int

	serviceAccountTokens bool

	egressAllow       []string
	egressDeny        []string
	egressUseProxy    bool
	allowInsecureHTTP bool

	logLevel  string
	logFormat string

	version bool
	probe   string

	// What complete works out of the above.
	allow, deny []netip.Prefix
	own         []netip.Addr
	namespace   string
	podName     string
	podUID      string
	logger      slog.Handler
}

func newOptions() *options {
	return &options{
		metricsAddress:          ":8080",
		probeAddress:            ":8081",
		leaseDuration:           15 * time.Second,
		renewDeadline:           10 * time.Second,
		retryPeriod:             2 * time.Second,
		maxConcurrentReconciles: 32,
		kubeAPIQPS:              -1,
		kubeAPIBurst:            0,
		logLevel:                "info",
		logFormat:               "json",
	}
}

func (o *options) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.kubeconfig, "kubeconfig", o.kubeconfig, "Kubeconfig file; left out, the pod's ServiceAccount is used.")
	flags.StringVar(&o.metricsAddress, "metrics-bind-address", o.metricsAddress, "Address of /metrics; 0 turns it off.")
	flags.StringVar(&o.probeAddress, "health-probe-bind-address", o.probeAddress, "Address of /healthz and /readyz.")
	flags.BoolVar(&o.leaderElect, "leader-elect", o.leaderElect, "Elect a leader, so that replicas can stand by.")
	flags.StringVar(&o.leaderNamespace, "leader-election-namespace", o.leaderNamespace, "Namespace of the lease; $POD_NAMESPACE when left out.")
	flags.DurationVar(&o.leaseDuration, "leader-election-lease-duration", o.leaseDuration, "Time after which a silent leader is replaced.")
	flags.DurationVar(&o.renewDeadline, "leader-election-renew-deadline", o.renewDeadline, "Time after which a leader that cannot renew gives up.")
	flags.DurationVar(&o.retryPeriod, "leader-election-retry-period", o.retryPeriod, "Time between attempts on the lease.")
	flags.StringSliceVar(&o.watchNamespaces, "watch-namespaces", o.watchNamespaces, "Namespaces to work in; all when left out.")
	flags.IntVar(&o.maxConcurrentReconciles, "max-concurrent-reconciles", o.maxConcurrentReconciles, "Workers that read and write at the API server; none of them waits for a provider.")
	flags.Float32Var(&o.kubeAPIQPS, "kube-api-qps", o.kubeAPIQPS, "Bound on requests per second to the API server; negative for none, which leaves it to the server's own fairness.")
	flags.IntVar(&o.kubeAPIBurst, "kube-api-burst", o.kubeAPIBurst, "Burst above kube-api-qps.")
	flags.BoolVar(&o.serviceAccountTokens, "service-account-tokens", o.serviceAccountTokens, "Let credentials authenticate by tokens of ServiceAccounts that consent; needs rights of its own.")
	flags.StringSliceVar(&o.egressAllow, "egress-allow-cidr", o.egressAllow, "Networks that token requests may reach although they are refused by default, such as loopback.")
	flags.StringSliceVar(&o.egressDeny, "egress-deny-cidr", o.egressDeny, "Networks that token requests may never reach.")
	flags.BoolVar(&o.egressUseProxy, "egress-use-proxy", o.egressUseProxy, "Honor HTTPS_PROXY and NO_PROXY; the proxy must then enforce the egress policy.")
	flags.BoolVar(&o.allowInsecureHTTP, "allow-insecure-http", o.allowInsecureHTTP, "Let token URLs begin with http://, which shows secrets to the network.")
	flags.StringVar(&o.logLevel, "log-level", o.logLevel, "How much to log: info, debug or trace.")
	flags.StringVar(&o.logFormat, "log-format", o.logFormat, "Format of the log: json or text.")
	flags.BoolVar(&o.version, "version", o.version, "Print the version and exit.")
	flags.StringVar(&o.probe, "probe", o.probe, "Ask this URL and exit with 0 if it answers 2xx; for images without a shell.")
}

// logLevels end below the level at which client-go logs the bodies of requests,
// Secrets and all.
var logLevels = map[string]slog.Level{"info": 0, "debug": -4, "trace": -5}

// complete checks the settings and works out what they mean.
func (o *options) complete(environment func(string) string) error {
	level, ok := logLevels[o.logLevel]
	if !ok {
		return fmt.Errorf("--log-level=%s: must be info, debug or trace", o.logLevel)
	}
	switch handler := (&slog.HandlerOptions{Level: level}); o.logFormat {
	case "json":
		o.logger = slog.NewJSONHandler(os.Stderr, handler)
	case "text":
		o.logger = slog.NewTextHandler(os.Stderr, handler)
	default:
		return fmt.Errorf("--log-format=%s: must be json or text", o.logFormat)
	}
	if o.maxConcurrentReconciles < 1 {
		return fmt.Errorf("--max-concurrent-reconciles=%d: must be at least 1", o.maxConcurrentReconciles)
	}
	var err error
	if o.allow, err = prefixes("--egress-allow-cidr", o.egressAllow); err != nil {
		return err
	}
	if o.deny, err = prefixes("--egress-deny-cidr", o.egressDeny); err != nil {
		return err
	}
	o.namespace, o.podName, o.podUID = environment("POD_NAMESPACE"), environment("POD_NAME"), environment("POD_UID")
	if o.leaderNamespace == "" {
		o.leaderNamespace = o.namespace
	}
	for _, name := range []string{"POD_IPS", "NODE_IPS"} {
		own, err := addresses(name, environment(name))
		if err != nil {
			return err
		}
		o.own = append(o.own, own...)
	}
	// Some clusters have a name here, which is no mistake.
	if server, err := netip.ParseAddr(environment("KUBERNETES_SERVICE_HOST")); err == nil {
		o.own = append(o.own, server)
	}
	return nil
}

// addresses reads a variable as the downward API fills it: an address, or one of
// each family with a comma between them. Outside of a cluster it is empty.
func addresses(variable, list string) ([]netip.Addr, error) {
	if list == "" {
		return nil, nil
	}
	var parsed []netip.Addr
	for text := range strings.SplitSeq(list, ",") {
		address, err := netip.ParseAddr(text)
		if err != nil {
			return nil, fmt.Errorf("%s=%s: must be IP addresses with commas between them, such as 10.0.0.7,fd00::7",
				variable, list)
		}
		parsed = append(parsed, address)
	}
	return parsed, nil
}

func prefixes(flag string, networks []string) ([]netip.Prefix, error) {
	parsed := make([]netip.Prefix, 0, len(networks))
	for _, network := range networks {
		prefix, err := netip.ParsePrefix(network)
		if err != nil {
			return nil, fmt.Errorf("%s=%s: must be a network such as 10.0.0.0/8", flag, network)
		}
		parsed = append(parsed, prefix)
	}
	return parsed, nil
}

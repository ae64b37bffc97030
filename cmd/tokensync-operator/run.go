package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"runtime/debug"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/controllers/oauthcredential"
	"github.com/tokensync/tokensync/controllers/oauthprovider"
	"github.com/tokensync/tokensync/internal/discovery"
	"github.com/tokensync/tokensync/internal/egress"
	"github.com/tokensync/tokensync/internal/expression"
	"github.com/tokensync/tokensync/internal/gate"
	tokenmetrics "github.com/tokensync/tokensync/internal/metrics"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/serviceaccount"
)

const (
	leaseName    = "tokensync-operator"
	probeTimeout = 5 * time.Second
	// forever is for the answers that have to be kept before the process may end. The
	// kubelet has the last word on it.
	forever time.Duration = -1
	// gcPercent trades some CPU for memory: the operator's heap is small, and what it
	// makes and drops when many tokens come at once is most of its size.
	gcPercent = 60
)

// run runs the operator until the context ends.
func run(ctx context.Context, o *options) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	logger := logr.FromSlogHandler(o.logger)
	ctrl.SetLogger(logger)
	klog.SetLogger(logger)

	restConfig, err := restConfig(o)
	if err != nil {
		return err
	}
	manager, err := newManager(restConfig, o)
	if err != nil {
		return err
	}
	credentials, err := setUp(ctx, manager, restConfig, o)
	if err != nil {
		return err
	}
	stop, err := serveHealth(ctx, o.probeAddress)
	if err != nil {
		return err
	}
	defer stop()
	logger.Info("Starting", "version", version)
	err = manager.Start(ctx)
	// A lease that was lost ends the manager at once, with requests under way whose
	// answers cannot be had again.
	<-credentials.Drained()
	return err
}

// setUp registers the controllers.
func setUp(ctx context.Context, manager ctrl.Manager, restConfig *rest.Config, o *options) (*oauthcredential.Reconciler, error) {
	recorder := tokenmetrics.NewRecorder(metrics.Registry)
	metrics.Registry.MustRegister(tokenmetrics.Collector{Reader: manager.GetCache()})
	realClock := clock.RealClock{}
	tokens := oauth.NewClient(oauth.Options{
		Egress:            egress.NewPolicy(egress.Options{Allow: o.allow, Deny: o.deny, Own: ownAddresses(restConfig, o)}),
		AllowInsecureHTTP: o.allowInsecureHTTP,
		UseProxy:          o.egressUseProxy,
		UserAgent:         "tokensync/" + version,
		Now:               realClock.Now,
		Random:            rand.Reader,
	})
	resolver := newResolver(manager, restConfig, o, tokens)
	cluster, err := clusterUID(ctx, manager.GetAPIReader())
	if err != nil {
		return nil, fmt.Errorf("identify the cluster: %w", err)
	}
	clusterProviders := len(o.watchNamespaces) == 0
	credentials := &oauthcredential.Reconciler{
		Client:    manager.GetClient(),
		APIReader: manager.GetAPIReader(),
		Tokens:    tokens,
		Resolver:  resolver,
		Clock:     realClock,
		Gate: gate.New(gate.Options{
			Now:       realClock.Now,
			AfterFunc: func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop },
		}),
		Events:                  manager.GetEventRecorder("tokensync"),
		Metrics:                 recorder,
		MaxConcurrentReconciles: o.maxConcurrentReconciles,
		ClusterProviders:        clusterProviders,
		OperatorNamespace:       o.namespace,
		Cluster:                 cluster,
		Owner:                   owner(o),
		NewID:                   rand.Text,
		ProcessIsGone:           processIsGone,
		Devices:                 tokens,
		Revoker:                 tokens,
	}
	providers := oauthprovider.Reconciler{
		Client:            manager.GetClient(),
		Resolver:          resolver,
		Clock:             realClock,
		Events:            manager.GetEventRecorder("tokensync"),
		OperatorNamespace: o.namespace,
		Forget:            recorder.ForgetProvider,
	}
	err = errors.Join(credentials.SetupWithManager(ctx, manager), providers.SetupNamespaced(manager))
	if clusterProviders {
		err = errors.Join(err, providers.SetupCluster(manager))
	}
	return credentials, err
}

// newResolver makes token requests of what the API server has.
func newResolver(manager ctrl.Manager, restConfig *rest.Config, o *options, tokens *oauth.Client) resolve.Resolver {
	now := clock.RealClock{}.Now
	return resolve.Resolver{
		Reader: oauthcredential.Objects{
			Client: manager.GetAPIReader(),
			ServiceAccounts: &serviceaccount.Issuer{
				Enabled: o.serviceAccountTokens,
				Reader:  manager.GetAPIReader(),
				Tokens:  manager.GetClient().SubResource("token"),
				Own:     serviceaccount.ReadIdentity(ownToken(restConfig)),
			},
		},
		Expressions: expression.NewCompiler(),
		Issuers:     discovery.NewCache(discovery.Options{Discoverer: tokens, Now: now}),
		Now:         now,
	}
}

// ownToken is the operator's own token, empty where it has none.
func ownToken(config *rest.Config) string {
	if config.BearerTokenFile == "" {
		return config.BearerToken
	}
	token, err := os.ReadFile(config.BearerTokenFile)
	if err != nil {
		return config.BearerToken
	}
	return string(token)
}

func restConfig(o *options) (*rest.Config, error) {
	config, err := rest.InClusterConfig()
	if o.kubeconfig != "" {
		config, err = clientcmd.BuildConfigFromFlags("", o.kubeconfig)
	}
	if err != nil {
		return nil, fmt.Errorf("find the API server: %w (outside a cluster, give --kubeconfig)", err)
	}
	config.QPS, config.Burst = o.kubeAPIQPS, o.kubeAPIBurst
	config.UserAgent = "tokensync-operator/" + version
	return config, nil
}

func newManager(restConfig *rest.Config, o *options) (ctrl.Manager, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	manager, err := ctrl.NewManager(restConfig, ctrl.Options{
		Scheme:                        scheme,
		Cache:                         cacheOptions(o),
		Metrics:                       metricsserver.Options{BindAddress: o.metricsAddress},
		HealthProbeBindAddress:        "0", // See serveHealth.
		GracefulShutdownTimeout:       new(forever),
		LeaderElection:                o.leaderElect,
		LeaderElectionID:              leaseName,
		LeaderElectionNamespace:       o.leaderNamespace,
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 &o.leaseDuration,
		RenewDeadline:                 &o.renewDeadline,
		RetryPeriod:                   &o.retryPeriod,
		// A replica that stands by keeps its caches warm.
		Controller: config.Controller{EnableWarmup: new(true)},
	})
	return manager, err
}

// cacheOptions keep credentials, and of Secrets and ConfigMaps no more than names
// and versions. A read that would need another cache fails instead of making it.
func cacheOptions(o *options) cache.Options {
	metadata := func(kind string) client.Object {
		return &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: corev1.SchemeGroupVersion.String(), Kind: kind}}
	}
	options := cache.Options{
		ReaderFailOnMissingInformer: true,
		ByObject: map[client.Object]cache.ByObject{
			&v1alpha1.OAuthCredential{}: {Transform: cache.TransformStripManagedFields()},
			&v1alpha1.OAuthProvider{}:   {Transform: cache.TransformStripManagedFields()},
			metadata("Secret"):          {Transform: oauthcredential.Trim},
			metadata("ConfigMap"):       {Transform: oauthcredential.Trim},
		},
	}
	if len(o.watchNamespaces) == 0 {
		options.ByObject[&v1alpha1.ClusterOAuthProvider{}] = cache.ByObject{Transform: cache.TransformStripManagedFields()}
		options.ByObject[metadata("Namespace")] = cache.ByObject{Transform: oauthcredential.TrimNamespace}
	}
	for _, namespace := range o.watchNamespaces {
		if options.DefaultNamespaces == nil {
			options.DefaultNamespaces = map[string]cache.Config{}
		}
		options.DefaultNamespaces[namespace] = cache.Config{}
	}
	return options
}

// ownAddresses are those of the API server, this pod and its node.
func ownAddresses(config *rest.Config, o *options) []netip.Addr {
	own := o.own
	if server, err := url.Parse(config.Host); err == nil {
		if address, err := netip.ParseAddr(server.Hostname()); err == nil {
			own = append(own, address)
		}
	}
	return own
}

// probe asks a URL and is an error unless it answers 2xx.
func probe(ctx context.Context, target string) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s answers %s", target, response.Status)
	}
	return nil
}

package kube

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tokensync/tokensync/internal/kubeapi"
)

// FieldManager is the name under which the sidecar changes what others own.
const FieldManager = "tokensync-sidecar"

const (
	// connectTimeout and keepAlive are those of connections to the API server. One that
	// cannot be made is tried again soon: the system's own patience would last for minutes
	// after the network is back.
	connectTimeout = 5 * time.Second
	keepAlive      = 30 * time.Second
)

// Client speaks to the API server.
type Client struct {
	// Core and Coordination are the API groups of Secrets and of Leases.
	Core, Coordination rest.Interface
	// Namespace is the pod's, unless another one was named.
	Namespace string

	account     account
	connections *http.Client
}

// Options say where the API server is.
type Options struct {
	// Kubeconfig is a file; empty for the API server of the cluster that the pod is in.
	Kubeconfig string
	// Namespace is empty for that of the pod, or else of the kubeconfig's context.
	Namespace string
	// Version is that of the program, as it tells it to the API server.
	Version string
}

// Connect makes a client. It talks to nobody yet. An error says what to change.
func Connect(options Options) (*Client, error) {
	config, fallback, err := find(options.Kubeconfig)
	if err != nil {
		return nil, err
	}
	namespace := options.Namespace
	if namespace == "" {
		namespace = podNamespace(accountDirectory)
	}
	if namespace == "" {
		namespace = fallback
	}
	if namespace == "" {
		return nil, fmt.Errorf("the file %s/namespace is missing: name the namespace by --namespace", accountDirectory)
	}
	return New(config, namespace, options.Version)
}

// New makes a client by a configuration, which it does not change.
func New(config *rest.Config, namespace, version string) (*Client, error) {
	config = rest.CopyConfig(config)
	config.UserAgent = fmt.Sprintf("%s/%s (%s/%s)", FieldManager, version, runtime.GOOS, runtime.GOARCH)
	config.WarningHandlerWithContext = rest.NoWarnings{}
	if config.Dial == nil {
		config.Dial = (&net.Dialer{Timeout: connectTimeout, KeepAlive: keepAlive}).DialContext
	}
	account := readAccount(config)
	readTokenFile(config)
	connections, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("make a client of the API server: %w", err)
	}
	core, err := kubeapi.Core(config, connections)
	if err != nil {
		return nil, err
	}
	coordination, err := kubeapi.Of(config, connections, coordinationv1.SchemeGroupVersion, coordinationv1.AddToScheme)
	if err != nil {
		return nil, err
	}
	return &Client{Core: core, Coordination: coordination, Namespace: namespace, account: account, connections: connections}, nil
}

// Close closes the connections that nothing is waiting for.
func (c *Client) Close() { utilnet.CloseIdleConnectionsFor(c.connections.Transport) }

// find answers where the API server is, and the namespace of the kubeconfig's context.
func find(kubeconfig string) (config *rest.Config, namespace string, err error) {
	if kubeconfig == "" {
		config, err := rest.InClusterConfig()
		if errors.Is(err, rest.ErrNotInCluster) {
			return nil, "", errors.New("KUBERNETES_SERVICE_HOST is not set, so this is no pod of a cluster: name a kubeconfig file by --kubeconfig")
		}
		if err != nil {
			return nil, "", fmt.Errorf("the pod has no token of its ServiceAccount: let it have one by automountServiceAccountToken: true: %w", err)
		}
		return config, "", nil
	}
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		&clientcmd.ClientConfigLoadingRules{ExplicitPath: kubeconfig}, &clientcmd.ConfigOverrides{})
	if config, err = loader.ClientConfig(); err != nil {
		return nil, "", fmt.Errorf("--kubeconfig: read %s: %w", kubeconfig, err)
	}
	if namespace, _, err = loader.Namespace(); err != nil {
		return nil, "", fmt.Errorf("--kubeconfig: read %s: %w", kubeconfig, err)
	}
	return config, namespace, nil
}

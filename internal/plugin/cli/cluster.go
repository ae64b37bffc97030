package cli

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// FieldManager names the plugin as the writer of what it writes.
const FieldManager = "kubectl-tokensync"

// Cluster is the cluster that kubectl's flags and kubeconfig lead to.
type Cluster struct {
	Client client.WithWatch
	// Namespace is the one that is meant where none is named.
	Namespace string
}

// Connect makes a client of the cluster. Nothing is sent yet.
func (e *Environment) Connect() (*Cluster, error) {
	config, err := e.Config.ToRESTConfig()
	if err != nil {
		return nil, explainConfig(err)
	}
	if config.Host == nowhere {
		return nil, errNoCluster
	}
	namespace, err := e.Namespace()
	if err != nil {
		return nil, err
	}
	scheme, err := Scheme()
	if err != nil {
		return nil, err
	}
	config.UserAgent = FieldManager + "/" + e.Version
	config.QPS = -1 // The server has a fairness of its own.
	made, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, Explain(err)
	}
	return &Cluster{Client: made, Namespace: namespace}, nil
}

// Namespace is the namespace of kubectl's flags and kubeconfig.
func (e *Environment) Namespace() (string, error) {
	namespace, _, err := e.Config.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return "", explainConfig(err)
	}
	return namespace, nil
}

// Scheme knows the kinds that the plugin reads and writes.
func Scheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	return scheme, errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme))
}

// nowhere is the server that kubectl's library assumes where none is configured.
const nowhere = "http://localhost:8080"

var errNoCluster = errors.New("no cluster is configured: set KUBECONFIG, or give --kubeconfig or --server")

func explainConfig(err error) error {
	if clientcmd.IsEmptyConfig(err) {
		return errNoCluster
	}
	return fmt.Errorf("the kubeconfig cannot be used: %w", err)
}

// Explain says what to do about an error of the Kubernetes API, where that is known.
// The error itself stays within.
func Explain(err error) error {
	var discovery *apierrors.StatusError
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case meta.IsNoMatchError(err):
		return fmt.Errorf("this cluster does not know OAuthCredentials: install tokensync in it, or choose another one with --context: %w", err)
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("the cluster does not know who you are: log in to it again, as for kubectl: %w", err)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("%w: ask an administrator of the namespace for that right, or choose another namespace with -n", err)
	case errors.As(err, &discovery):
		return err
	}
	return fmt.Errorf("the cluster does not answer as it should: %w", err)
}

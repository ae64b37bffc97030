// Package cluster starts a real etcd and kube-apiserver on loopback, with the
// CRDs of this repository installed, for tests, the demo and the benchmark.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	k8sruntime "k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// Cluster is a running control plane.
type Cluster struct {
	// Config is the configuration of an administrator, without client-side limits.
	Config *rest.Config
	// Client reads and writes as that administrator, uncached.
	Client client.Client
	// Kubeconfig is the path of a kubeconfig file of that administrator.
	Kubeconfig string

	environment *envtest.Environment
	directory   string
}

// Root is the root directory of the repository.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// Start starts a control plane from the binaries in KUBEBUILDER_ASSETS, or from
// those that `make controlplane` built, and installs the CRDs. It is an error
// when there are none.
func Start() (*Cluster, error) {
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		assets = filepath.Join(Root(), "bin", "controlplane")
	}
	if _, err := os.Stat(filepath.Join(assets, "kube-apiserver")); err != nil {
		return nil, fmt.Errorf("no kube-apiserver in %s: run `make controlplane` first, or set KUBEBUILDER_ASSETS: %w", assets, err)
	}
	environment := &envtest.Environment{
		BinaryAssetsDirectory:    assets,
		CRDDirectoryPaths:        []string{filepath.Join(Root(), "config", "crd", "bases")},
		ErrorIfCRDPathMissing:    true,
		ControlPlaneStartTimeout: 2 * time.Minute,
		ControlPlaneStopTimeout:  time.Minute,
	}
	arguments := environment.ControlPlane.GetAPIServer().Configure()
	// Namespaces are deleted by a controller that does not run here; the admission
	// plugin that waits for ServiceAccounts would hold pods back for the same cause.
	arguments.Append("disable-admission-plugins", "ServiceAccount")
	config, err := environment.Start()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the control plane: %w", err), environment.Stop())
	}
	c := &Cluster{Config: config, environment: environment}
	if err := c.complete(); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

func (c *Cluster) complete() error {
	c.Config.QPS = -1
	scheme, err := Scheme()
	if err != nil {
		return err
	}
	if c.Client, err = client.New(c.Config, client.Options{Scheme: scheme}); err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	user, err := c.environment.AddUser(envtest.User{Name: "admin", Groups: []string{"system:masters"}}, nil)
	if err != nil {
		return fmt.Errorf("add an administrator: %w", err)
	}
	kubeconfig, err := user.KubeConfig()
	if err != nil {
		return fmt.Errorf("write a kubeconfig: %w", err)
	}
	if c.directory, err = os.MkdirTemp("", "tokensync-cluster-"); err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	c.Kubeconfig = filepath.Join(c.directory, "kubeconfig")
	return os.WriteFile(c.Kubeconfig, kubeconfig, 0o600)
}

// Stop ends the control plane and removes what it left on disk.
func (c *Cluster) Stop() error {
	return errors.Join(c.environment.Stop(), os.RemoveAll(c.directory))
}

// CreateNamespace makes a namespace whose name begins with prefix.
func (c *Cluster) CreateNamespace(ctx context.Context, prefix string) (string, error) {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: prefix + "-"}}
	if err := c.Client.Create(ctx, namespace); err != nil {
		return "", fmt.Errorf("create a namespace: %w", err)
	}
	return namespace.Name, nil
}

// Scheme knows the kinds of Kubernetes and those of this repository.
func Scheme() (*k8sruntime.Scheme, error) {
	scheme := k8sruntime.NewScheme()
	return scheme, errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme))
}

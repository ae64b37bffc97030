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
	"strings"
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
	guard       *guard
}

// Root is the root directory of the repository.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// Start starts a control plane from the binaries in KUBEBUILDER_ASSETS, or from
// those that `make controlplane` built, and installs the CRDs. It is an error
// when there are none. Should this process be killed, the control plane ends too.
func Start(options ...Option) (*Cluster, error) {
	return start(nil, options)
}

// Option changes how the API server is started.
type Option func(*envtest.APIServer)

// DefaultAdmission lets all admission plugins run that a cluster has by default. A pod then
// needs its ServiceAccount, which no controller makes here.
func DefaultAdmission(server *envtest.APIServer) { server.Configure().Set("disable-admission-plugins") }

// StartContext is Start, given up with all that has been started once the context
// ends. It does not bound the life of a cluster that has started.
func StartContext(ctx context.Context) (*Cluster, error) {
	return start(ctx.Done(), nil)
}

// Assets is the directory with the binaries of the control plane.
func Assets() string {
	if assets := os.Getenv("KUBEBUILDER_ASSETS"); assets != "" {
		return assets
	}
	return filepath.Join(Root(), "bin", "controlplane")
}

func start(canceled <-chan struct{}, options []Option) (*Cluster, error) {
	if _, err := os.Stat(filepath.Join(Assets(), "kube-apiserver")); err != nil {
		return nil, fmt.Errorf("no kube-apiserver in %s: run `make controlplane` first, or set KUBEBUILDER_ASSETS: %w", Assets(), err)
	}
	directory, err := os.MkdirTemp("", "tokensync-cluster-")
	if err != nil {
		return nil, fmt.Errorf("make a directory: %w", err)
	}
	// The API server wants its directory to be there; etcd makes its own.
	environment := environmentIn(directory)
	for _, option := range options {
		option(environment.ControlPlane.GetAPIServer())
	}
	if err := os.Mkdir(environment.ControlPlane.GetAPIServer().CertDir, 0o700); err != nil {
		return nil, errors.Join(err, os.RemoveAll(directory))
	}
	c := &Cluster{environment: environment, directory: directory}
	if c.guard, err = newGuard(directory); err != nil {
		return nil, errors.Join(err, os.RemoveAll(directory))
	}
	started := make(chan error, 1)
	go func() {
		var err error
		c.Config, err = c.environment.Start()
		started <- err
	}()
	if err := c.guard.follow(started, canceled); err != nil {
		return nil, errors.Join(fmt.Errorf("start the control plane: %w", err), c.Stop())
	}
	if err := c.complete(); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// environmentIn describes a control plane that keeps everything in a directory.
func environmentIn(directory string) *envtest.Environment {
	environment := &envtest.Environment{
		BinaryAssetsDirectory:    Assets(),
		CRDDirectoryPaths:        []string{filepath.Join(Root(), "config", "crd", "bases")},
		ErrorIfCRDPathMissing:    true,
		ControlPlaneStartTimeout: 2 * time.Minute,
		ControlPlaneStopTimeout:  time.Minute,
	}
	environment.ControlPlane.Etcd = &envtest.Etcd{DataDir: filepath.Join(directory, "etcd")}
	server := environment.ControlPlane.GetAPIServer()
	server.CertDir = filepath.Join(directory, "apiserver")
	// Namespaces are deleted by a controller that does not run here; the admission
	// plugin that waits for ServiceAccounts would hold pods back for the same cause.
	server.Configure().Append("disable-admission-plugins", "ServiceAccount")
	return environment
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
	c.Kubeconfig, err = c.addUser("kubeconfig", envtest.User{Name: "admin", Groups: []string{"system:masters"}})
	return err
}

// AddUser makes a user of some groups, and answers the path of a kubeconfig file.
func (c *Cluster) AddUser(name string, groups ...string) (kubeconfig string, err error) {
	return c.addUser("kubeconfig-"+strings.ReplaceAll(name, ":", "-"), envtest.User{Name: name, Groups: groups})
}

func (c *Cluster) addUser(file string, user envtest.User) (string, error) {
	added, err := c.environment.AddUser(user, nil)
	if err != nil {
		return "", fmt.Errorf("add the user %s: %w", user.Name, err)
	}
	content, err := added.KubeConfig()
	if err != nil {
		return "", fmt.Errorf("write a kubeconfig: %w", err)
	}
	path := filepath.Join(c.directory, file)
	return path, os.WriteFile(path, content, 0o600)
}

// PIDs are the ids of the processes of the control plane, by name.
func (c *Cluster) PIDs() map[string]int { return children(c.directory) }

// Stop ends the control plane and removes what it left on disk.
func (c *Cluster) Stop() error {
	return errors.Join(c.environment.Stop(), c.guard.dismiss(), os.RemoveAll(c.directory))
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

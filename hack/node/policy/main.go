// Command policy enforces the NetworkPolicies of a cluster of one node, by nft, which must
// be on the PATH. It takes the cluster from the environment variable KUBECONFIG.
//
//	main.go         when the rules are made anew, and their way into the kernel
//	cluster.go      what the rules follow from, and who matches a selector
//	ruleset.go      pure: from that to what nft reads
//	unsupported.go  policies that would be enforced wrongly, and are refused
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/klog/v2/textlogger"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func main() {
	ctrl.SetLogger(textlogger.NewLogger(textlogger.NewConfig()))
	if err := run(ctrl.SetupSignalHandler()); err != nil {
		fmt.Fprintln(os.Stderr, "policy:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	manager, err := ctrl.NewManager(config, ctrl.Options{Metrics: metricsserver.Options{BindAddress: "0"}})
	if err != nil {
		return err
	}
	// Whatever changes, all rules are made anew.
	all := handler.EnqueueRequestsFromMapFunc(func(context.Context, client.Object) []reconcile.Request {
		return []reconcile.Request{{}}
	})
	err = ctrl.NewControllerManagedBy(manager).Named("policy").
		Watches(&networkingv1.NetworkPolicy{}, all).
		Watches(&corev1.Pod{}, all).
		Watches(&corev1.Namespace{}, all).
		Complete(&enforcer{reader: manager.GetClient()})
	if err != nil {
		return err
	}
	return manager.Start(ctx)
}

// enforcer keeps the rules in the kernel as the cluster wants them.
type enforcer struct {
	reader  client.Reader
	applied string
}

// Reconcile implements reconcile.Reconciler.
func (e *enforcer) Reconcile(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
	cluster, err := readCluster(ctx, e.reader)
	if err != nil {
		return reconcile.Result{}, err
	}
	if ruleset := cluster.ruleset(); ruleset != e.applied {
		if err := apply(ctx, ruleset); err != nil {
			return reconcile.Result{}, err
		}
		e.applied = ruleset
		logf.FromContext(ctx).Info("Applied", "ruleset", ruleset)
	}
	// An error is logged, and again with each attempt.
	return reconcile.Result{}, errors.Join(cluster.refused()...)
}

// apply replaces all rules at once.
func apply(ctx context.Context, ruleset string) error {
	nft := exec.CommandContext(ctx, "nft", "-f", "-")
	nft.Stdin = strings.NewReader(ruleset)
	if output, err := nft.CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %w: %s; it was given:\n%s", err, output, ruleset)
	}
	return nil
}

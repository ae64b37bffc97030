package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/tokensync/tokensync/test/cluster"
)

// options are the flags.
type options struct {
	n, namespaces, concurrency int
	sidecars                   int
	lifetime, outage, latency  time.Duration
	shared                     bool
	phases                     []string
	binary, sidecar            string
	arguments                  []string
	output                     string
}

// runs tells whether a phase is measured. Those of the operator begin with ready.
func (o *options) runs(phase string) bool {
	if phase == "ready" {
		return slices.ContainsFunc(o.phases, func(phase string) bool { return phase != "ceiling" && phase != "sidecar" })
	}
	return slices.Contains(o.phases, phase)
}

// makesCredentials tells whether more is measured than sidecars.
func (o *options) makesCredentials() bool { return o.runs("ready") || o.runs("ceiling") }

// providers says how the credentials find their provider.
func (o *options) providers() string {
	if o.shared {
		return "one ClusterOAuthProvider for all"
	}
	return "each with its endpoint inline"
}

func main() {
	ctx, stop := cluster.Interruptible(context.Background())
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	o, err := parse(arguments)
	if err != nil {
		return err
	}
	ctrl.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())

	b := &bench{options: *o, began: time.Now()}
	if err := errors.Join(b.run(ctx), b.stop()); err != nil {
		return err
	}
	if o.output == "json" {
		return b.report.writeJSON(os.Stdout)
	}
	b.report.write(os.Stdout)
	return nil
}

func parse(arguments []string) (*options, error) {
	all := []string{"ceiling", "sidecar", "ready", "refresh", "restart", "outage"}
	o := &options{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&o.n, "n", 1000, "number of credentials")
	flags.IntVar(&o.namespaces, "namespaces", 10, "number of namespaces that they are spread over")
	flags.IntVar(&o.concurrency, "concurrency", 64, "requests that the bare client and the set-up have under way")
	flags.DurationVar(&o.lifetime, "lifetime", 2*time.Minute, "life of a token")
	flags.DurationVar(&o.outage, "outage", 90*time.Second, "length of the provider's outage")
	flags.DurationVar(&o.latency, "latency", 0, "time that the provider takes for each answer")
	flags.BoolVar(&o.shared, "shared", false, "have all credentials refer to one ClusterOAuthProvider, instead of each naming its endpoint itself")
	flags.StringVar(&o.binary, "binary", filepath.Join(cluster.Root(), "bin", "tokensync-operator"), "operator to measure")
	flags.StringVar(&o.sidecar, "sidecar-binary", filepath.Join(cluster.Root(), "bin", "tokensync-sidecar"), "sidecar to measure")
	flags.IntVar(&o.sidecars, "sidecars", 20, "number of sidecars, each a process, that watch a Secret each at the same time")
	flags.StringVar(&o.output, "o", "table", "output: table or json")
	phases := flags.String("phases", strings.Join(all, ","), "what to measure; refresh, restart and outage take ready with them")
	operator := flags.String("operator-flags", "", "further flags for the operator, separated by spaces")
	if err := flags.Parse(arguments); err != nil {
		return nil, err
	}
	o.phases = strings.Split(*phases, ",")
	o.arguments = strings.Fields(*operator)
	for _, phase := range o.phases {
		if !slices.Contains(all, phase) {
			return nil, fmt.Errorf("-phases=%s: there is %s", phase, strings.Join(all, ", "))
		}
	}
	if o.n < 1 || o.namespaces < 1 || o.concurrency < 1 || o.sidecars < 1 || o.lifetime < time.Second {
		return nil, errors.New("-n, -namespaces, -concurrency and -sidecars must be 1 at least, -lifetime 1s")
	}
	if o.output != "table" && o.output != "json" {
		return nil, fmt.Errorf("-o=%s: there is table and json", o.output)
	}
	return o, nil
}

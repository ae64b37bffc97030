package e2e_test

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"

	. "github.com/onsi/ginkgo/v2"
)

// lines is how much of the log of a container is shown.
const lines int64 = 25

// reportTrouble adds what the namespaces of the suite look like to the report of the spec. It
// does not fail: that would hide what has.
func reportTrouble(ctx context.Context) {
	var text strings.Builder
	namespaces := &corev1.NamespaceList{}
	if err := api.List(ctx, namespaces, client.HasLabels{suiteLabel}); err != nil {
		fmt.Fprintln(&text, err)
	}
	for _, namespace := range namespaces.Items {
		fmt.Fprintf(&text, "==== namespace %s\n", namespace.Name)
		describeCredentials(ctx, &text, client.InNamespace(namespace.Name))
		describeEvents(ctx, &text, client.InNamespace(namespace.Name))
		describePods(ctx, &text, client.InNamespace(namespace.Name))
	}
	AddReportEntry("the cluster", text.String(), ReportEntryVisibilityFailureOrVerbose)
}

func describeCredentials(ctx context.Context, to *strings.Builder, in client.InNamespace) {
	credentials := &v1alpha1.OAuthCredentialList{}
	if err := api.List(ctx, credentials, in); err != nil {
		fmt.Fprintln(to, err)
	}
	for _, credential := range credentials.Items {
		for _, condition := range credential.Status.Conditions {
			fmt.Fprintf(to, "credential %s: %s=%s %s: %s\n", credential.Name, condition.Type, condition.Status, condition.Reason, condition.Message)
		}
	}
}

func describeEvents(ctx context.Context, to *strings.Builder, in client.InNamespace) {
	events := &corev1.EventList{}
	if err := api.List(ctx, events, in); err != nil {
		fmt.Fprintln(to, err)
	}
	for _, event := range events.Items {
		if event.Type != corev1.EventTypeNormal {
			fmt.Fprintf(to, "event of %s: %s: %s\n", event.InvolvedObject.Name, event.Reason, event.Message)
		}
	}
}

func describePods(ctx context.Context, to *strings.Builder, in client.InNamespace) {
	pods := &corev1.PodList{}
	if err := api.List(ctx, pods, in); err != nil {
		fmt.Fprintln(to, err)
	}
	for _, pod := range pods.Items {
		fmt.Fprintf(to, "---- pod %s: %s\n", pod.Name, pod.Status.Phase)
		for _, containers := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
			for _, container := range containers {
				describeContainer(ctx, to, &pod, container)
			}
		}
	}
}

func describeContainer(ctx context.Context, to *strings.Builder, pod *corev1.Pod, status corev1.ContainerStatus) {
	fmt.Fprintf(to, "container %s: ready=%t, %d restarts", status.Name, status.Ready, status.RestartCount)
	switch {
	case status.State.Waiting != nil:
		fmt.Fprintf(to, ", waits: %s %s\n", status.State.Waiting.Reason, status.State.Waiting.Message)
		return
	case status.State.Terminated != nil:
		fmt.Fprintf(to, ", ended: %s, %d", status.State.Terminated.Reason, status.State.Terminated.ExitCode)
	}
	log, err := core.Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{Container: status.Name, TailLines: new(lines)}).DoRaw(ctx)
	if err != nil {
		fmt.Fprintf(to, "\n%v\n", err)
		return
	}
	fmt.Fprintf(to, "\n%s\n", log)
}

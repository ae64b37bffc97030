package failures_test

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/operator"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("A restart", Ordered, func() {
	const count = 100
	var (
		namespace string
		server    *provider
		process   *running
		all       []string
	)

	BeforeAll(func(ctx SpecContext) {
		namespace = createNamespace(ctx)
		server = startProvider(time.Hour)
		process = launchOperator(ctx, []string{namespace})
		DeferCleanup(func() { process.end() })
		all = names("app", count)
		apply(ctx, namespace, clientSecret)
		for _, name := range all {
			apply(ctx, namespace, numbered(server.url, name))
		}
		expectReady(ctx, namespace, all...)
		Expect(server.Counts().Requests).To(BeEquivalentTo(count))
	})

	It("by SIGKILL with 100 fresh credentials costs no token request and no write", func(ctx SpecContext) {
		// Events are sent beside the work: each credential tells of its token once.
		Eventually(func() []eventsv1.Event { return allEvents(ctx, namespace) }).WithContext(ctx).Should(HaveLen(count))
		before := resourceVersions(ctx, namespace)
		Expect(process.Kill()).To(Succeed())
		process = launchOperator(ctx, []string{namespace})
		waitUntilReconciled(ctx, process.Process, count)

		Consistently(func() map[string]string { return resourceVersions(ctx, namespace) }).
			WithContext(ctx).WithTimeout(time.Second).WithPolling(50 * time.Millisecond).Should(Equal(before))
		Expect(server.Counts().Requests).To(BeEquivalentTo(count))
		Expect(allEvents(ctx, namespace)).To(HaveLen(count))
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
			page, err := process.Metrics(ctx)
			Expect(err).NotTo(HaveOccurred())
			Expect(sum("rest_client_requests_total", `method="`+method+`"`)(page)).To(BeZero(), method)
		}
	})

	It("finds a status that was wiped in the Secret, without a token request or a write to it", func(ctx SpecContext) {
		target, was := getSecret(ctx, namespace, "app-7-token"), getCredential(ctx, namespace, "app-7").Status
		wipe(ctx, namespace, "app-7")
		Eventually(func() v1alpha1.OAuthCredentialStatus { return getCredential(ctx, namespace, "app-7").Status }).
			WithContext(ctx).Should(SatisfyAll(
			HaveField("SecretName", Equal(was.SecretName)), HaveField("IssuedAt", Equal(was.IssuedAt)),
			HaveField("ExpiresAt", Equal(was.ExpiresAt)), HaveField("RefreshAt", Equal(was.RefreshAt)),
			HaveField("Sources", Equal(was.Sources)), HaveField("LastFailure", BeNil())))
		expectReady(ctx, namespace, "app-7")

		Expect(process.Kill()).To(Succeed())
		wipe(ctx, namespace, "app-8")
		process = launchOperator(ctx, []string{namespace})
		expectReady(ctx, namespace, "app-8")

		waitUntilReconciled(ctx, process.Process, count)
		Expect(getSecret(ctx, namespace, "app-7-token").ResourceVersion).To(Equal(target.ResourceVersion))
		Expect(server.Counts().Requests).To(BeEquivalentTo(count))
	})

	It("with 20 expired tokens among 100 replaces those, and touches no other", func(ctx SpecContext) {
		expiring := all[:20]
		shorten(server, expiring)
		for _, name := range expiring {
			askForRefresh(ctx, namespace, name)
		}
		Eventually(func() int64 { return server.Counts().Requests }).WithContext(ctx).Should(BeEquivalentTo(count + 20))
		Eventually(func() []string { return handled(namespace, expiring) }).WithContext(ctx).Should(HaveLen(20))
		Expect(process.Kill()).To(Succeed())
		server.Behave()
		before := resourceVersions(ctx, namespace)
		for _, name := range expiring {
			expiresAt := getCredential(ctx, namespace, name).Status.ExpiresAt
			Eventually(time.Now).WithContext(ctx).WithTimeout(briefly * 2).Should(BeTemporally(">", expiresAt.Time))
		}
		Expect(server.Counts().Requests).To(BeEquivalentTo(count+20), "nothing was refreshed before the kill")

		restarted := time.Now()
		process = launchOperator(ctx, []string{namespace})
		Eventually(func() int64 { return server.Counts().Requests }).WithContext(ctx).Should(BeEquivalentTo(count + 40))
		expectReady(ctx, namespace, all...)
		Expect(time.Since(restarted)).To(BeNumerically("<", 8*time.Second))
		waitUntilReconciled(ctx, process.Process, count)
		after := resourceVersions(ctx, namespace)
		for _, name := range all[20:] {
			Expect(after[name]).To(Equal(before[name]))
			Expect(after[name+"-token"]).To(Equal(before[name+"-token"]))
		}
		Expect(server.Counts().Requests).To(BeEquivalentTo(count + 40))
		Expect(server.Counts().TooClose).To(BeZero())
	})
})

// briefly is a life that is refreshed no sooner than a busy machine has done twenty
// credentials, and is over soon enough to wait for.
const briefly = 12 * time.Second

// shorten gives the next tokens of some clients a brief life.
func shorten(server *provider, clients []string) {
	behaviors, life := make([]standin.Behavior, 0, len(clients)), strconv.Itoa(int(briefly.Seconds()))
	for _, name := range clients {
		behaviors = append(behaviors, standin.Behavior{ClientID: name, ExpiresIn: json.RawMessage(life)})
	}
	server.Misbehave(behaviors...)
}

// handled are those credentials whose token expires within a minute.
func handled(namespace string, names []string) []string {
	var done []string
	for _, name := range names {
		if at := credentials.last(namespace, name).credential.Status.ExpiresAt; at != nil && time.Until(at.Time) < time.Minute {
			done = append(done, name)
		}
	}
	return done
}

// resourceVersions are those of all credentials and all managed Secrets.
func resourceVersions(ctx context.Context, namespace string) map[string]string {
	GinkgoHelper()
	versions := map[string]string{}
	for _, one := range listCredentials(ctx, namespace) {
		versions[one.Name] = one.ResourceVersion
	}
	targets, err := listTargets(ctx, namespace)
	Expect(err).NotTo(HaveOccurred())
	for i := range targets {
		versions[targets[i].Name] = targets[i].ResourceVersion
	}
	return versions
}

// wipe does what `kubectl patch --subresource=status` does.
func wipe(ctx context.Context, namespace, name string) {
	GinkgoHelper()
	object := &v1alpha1.OAuthCredential{}
	object.Namespace, object.Name = namespace, name
	patch := client.RawPatch(types.JSONPatchType, []byte(`[{"op": "replace", "path": "/status", "value": {}}]`))
	Expect(api.Status().Patch(ctx, object, patch)).To(Succeed())
	Expect(object.Status.Conditions).To(BeEmpty())
}

// waitUntilReconciled waits until an operator has looked at so many credentials,
// and has nothing left to do.
func waitUntilReconciled(ctx SpecContext, process *operator.Process, count int) {
	GinkgoHelper()
	Eventually(func() (string, error) { return process.Metrics(ctx) }).WithContext(ctx).WithPolling(50 * time.Millisecond).
		Should(SatisfyAll(
			WithTransform(sum("controller_runtime_reconcile_total"), BeNumerically(">=", count)),
			WithTransform(sum("workqueue_depth"), BeZero()),
			WithTransform(sum("controller_runtime_active_workers"), BeZero())))
}

// sum adds up the samples of a metric whose labels hold some text.
func sum(metric string, labels ...string) func(page string) float64 {
	return func(page string) float64 {
		total := 0.0
		for _, sample := range samples(page, metric, labels...) {
			total += sample
		}
		return total
	}
}

// samples are the values of a metric whose labels hold some text.
func samples(page, metric string, labels ...string) []float64 {
	var values []float64
	line := regexp.MustCompile(fmt.Sprintf(`(?m)^%s(\{.*\})? (\S+)$`, metric))
	for _, match := range line.FindAllStringSubmatch(page, -1) {
		if slices.ContainsFunc(labels, func(label string) bool { return !strings.Contains(match[1], label) }) {
			continue
		}
		value, err := strconv.ParseFloat(match[2], 64)
		Expect(err).NotTo(HaveOccurred())
		values = append(values, value)
	}
	return values
}

package failures_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/test/operator"
	"github.com/tokensync/tokensync/test/output"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// rotating are credentials that each spend the refresh tokens of a family of their own.
type rotating struct {
	*provider
	namespace string
	names     []string
	// first are the refresh tokens that they begin with.
	first map[string]string
}

// startRotating makes a provider and so many of its credentials. They wait for an
// operator.
func startRotating(ctx SpecContext, count int, lifetime time.Duration, rotation standin.Rotation) *rotating {
	GinkgoHelper()
	server := standin.NewOAuth(standin.Options{Lifetime: lifetime, AnyClient: accept, Rotation: &rotation})
	address, stop, err := server.Listen()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(stop)
	r := &rotating{
		provider: &provider{Server: server, url: address}, namespace: createNamespace(ctx),
		names: names("app", count), first: map[string]string{},
	}
	apply(ctx, r.namespace, clientSecret)
	for _, name := range r.names {
		r.first[name] = server.MintRefreshToken(name)
		apply(ctx, r.namespace, at(address, fmt.Sprintf(`
apiVersion: v1
kind: Secret
metadata: {name: %[1]s-bootstrap}
stringData: {refresh_token: %[2]q}
---
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: %[1]s}
spec:
  provider: {tokenURL: $URL/oauth/token}
  grantType: refresh_token
  client: {id: %[1]s, secretRef: {name: app-client, key: client_secret}}
  refreshToken: {bootstrapRef: {name: %[1]s-bootstrap, key: refresh_token}}
  secret: {name: %[1]s-token}
`, name, r.first[name])))
	}
	return r
}

// family is what the provider knows of a credential's refresh tokens.
func (r *rotating) family(name string) standin.FamilyState { return r.FamilyOf(r.first[name]) }

// refreshed is how often refresh tokens were taken, and retried how often for a second
// time.
func (r *rotating) refreshed() (refreshed, retried int64) {
	for _, family := range r.Families() {
		refreshed += family.Refreshes
		retried += family.Retries
	}
	return refreshed, retried
}

// count is how often the refresh tokens of a credential were taken.
func (r *rotating) count(name string) func() int64 {
	return func() int64 { return r.family(name).Refreshes }
}

// askAll asks for a refresh of every credential.
func (r *rotating) askAll(ctx context.Context) {
	GinkgoHelper()
	for _, name := range r.names {
		askForRefresh(ctx, r.namespace, name)
	}
}

// unserved are the credentials whose target does not hold the token that came last, with
// the refresh token behind it kept and good.
func (r *rotating) unserved(ctx context.Context) []string {
	GinkgoHelper()
	return r.complaints(ctx, r.whyUnserved)
}

// complaints are what there is to say of the credentials.
func (r *rotating) complaints(ctx context.Context, why func(ctx context.Context, name string) string) []string {
	GinkgoHelper()
	var complaints []string
	for _, name := range r.names {
		if complaint := why(ctx, name); complaint != "" {
			complaints = append(complaints, name+": "+complaint)
		}
	}
	return complaints
}

func (r *rotating) whyUnserved(ctx context.Context, name string) string {
	if why := r.whyUnkept(ctx, name); why != "" {
		return why
	}
	published := string(getSecret(ctx, r.namespace, name+"-token").Data[v1alpha1.KeyAccessToken])
	switch _, _, good := r.Check(published); {
	case !good:
		return "the target holds a token that is not good"
	case published != grantOf(ctx, r.namespace, name).Chain.Token.Answer.AccessToken.Reveal():
		return "the target does not hold the token that was kept last"
	}
	return ""
}

// whyUnkept says what is wrong with the grant that is kept, nothing where it is the latest.
func (r *rotating) whyUnkept(ctx context.Context, name string) string {
	record := grantOf(ctx, r.namespace, name)
	if record.Attempt != nil {
		return "an attempt is open"
	}
	if state := r.StateOf(record.Chain.RefreshToken.Reveal()); state != standin.TokenCurrent {
		return "the refresh token that is kept is " + state.String()
	}
	return ""
}

// expectUnharmed demands that the provider never got a refresh token which was spent.
func (r *rotating) expectUnharmed() {
	GinkgoHelper()
	for _, family := range r.Families() {
		Expect(family.Revoked).To(BeFalse(), "%+v", family.History)
		Expect(family.Reuses).To(BeZero(), "%+v", family.History)
		Expect(family.Refusals).To(BeZero(), "%+v", family.History)
	}
	r.expectBehaved()
}

// grantOf answers the grant that is kept for a credential.
func grantOf(ctx context.Context, namespace, name string) *grant.Record {
	GinkgoHelper()
	record, err := grant.Decode(getSecret(ctx, namespace, name+"-grant").Data)
	Expect(err).NotTo(HaveOccurred())
	return record
}

// listGrants answers all grants that are kept in a namespace.
func listGrants(ctx context.Context, namespace string) ([]*grant.Record, error) {
	found := &corev1.SecretList{}
	if err := api.List(ctx, found, client.InNamespace(namespace), client.MatchingLabels{v1alpha1.LabelRole: v1alpha1.RoleGrant}); err != nil {
		return nil, err
	}
	records := make([]*grant.Record, 0, len(found.Items))
	for i := range found.Items {
		record, err := grant.Decode(found.Items[i].Data)
		if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	return records, nil
}

// launchMortal starts an operator that is there to be killed; it ends with the test in any
// case.
func launchMortal(ctx SpecContext, namespace string) *running {
	GinkgoHelper()
	process := launchOperator(ctx, []string{namespace})
	DeferCleanup(process.Kill)
	return process
}

// launchBehind does so behind a door.
func launchBehind(ctx SpecContext, d *door, namespace string, arguments ...string) *running {
	GinkgoHelper()
	log := &output.Log{}
	process, err := operator.Start(ctx, operator.Options{
		Binary:     binary,
		Kubeconfig: d.kubeconfig,
		Arguments:  append([]string{"--watch-namespaces=" + namespace}, arguments...),
		Log:        log,
	})
	Expect(err).NotTo(HaveOccurred(), log.String())
	DeferCleanup(process.Kill)
	return &running{Process: process, log: log}
}

// expectUnbroken demands that an operator which an API server has failed, or which was
// killed, has neither raced nor panicked.
func (r *running) expectUnbroken() {
	GinkgoHelper()
	Expect(r.log.String()).NotTo(SatisfyAny(ContainSubstring("DATA RACE"), ContainSubstring("panic")))
}

// kill ends an operator by SIGKILL.
func (r *running) kill() {
	GinkgoHelper()
	Expect(r.Kill()).To(Succeed())
	r.expectUnbroken()
}

// complaint is what an operator said when it ended with an error, and with another exit
// code than 0; empty where it did not.
func (r *running) complaint() string {
	for line := range strings.Lines(r.log.String()) {
		if strings.HasPrefix(line, "tokensync-operator:") {
			return line
		}
	}
	return ""
}

// chance draws delays below a bound: the same ones with the same --seed of the suite.
func chance() (within func(time.Duration) time.Duration) {
	seed := GinkgoRandomSeed()
	AddReportEntry("seed", seed)
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	return func(bound time.Duration) time.Duration {
		return time.Duration(random.Int64N(int64(bound))) //nolint:forbidigo // What is drawn decides nothing but when a test strikes.
	}
}

// electing are the flags of a replica whose lease lives for three seconds.
func electing(namespace string) []string {
	return []string{
		"--leader-elect", "--leader-election-namespace=" + namespace, "--leader-election-lease-duration=3s",
		"--leader-election-renew-deadline=2s", "--leader-election-retry-period=500ms",
	}
}

// expectLeading waits until a replica leads.
func expectLeading(ctx SpecContext, process *running) {
	GinkgoHelper()
	Eventually(func() bool { return leads(ctx, process) }).WithContext(ctx).WithTimeout(15 * time.Second).Should(BeTrue())
}

package integration_test

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const deviceCode = "urn:ietf:params:oauth:grant-type:device_code"

// shownCode is how the message of a credential shows the code that a person enters.
var shownCode = regexp.MustCompile(`open (\S+) and enter the code ([A-Z]{4}-[A-Z]{4}) `)

// byDevice is a provider with a device grant.
func byDevice(lifetime, codes time.Duration) *standin.Server {
	return standin.NewOAuth(standin.Options{
		Lifetime: lifetime, AnyClient: password, Rotation: &standin.Rotation{},
		DeviceLifetime: codes, DeviceInterval: time.Second,
	})
}

// base is where the provider is.
func (t *tenant) base() string { return strings.TrimSuffix(t.url, standin.TokenPath) }

// declareDevice applies a credential that begins with a code for a person to enter.
func (t *tenant) declareDevice(ctx context.Context, name string) {
	GinkgoHelper()
	t.endpoint = "deviceAuthorizationURL: '" + t.base() + standin.DeviceAuthorizationPath + "', "
	t.declare(ctx, name, "grantType: "+deviceCode)
}

// userCode answers the code that a credential shows; empty where it shows none.
func (t *tenant) userCode(name string) func(context.Context) string {
	return func(ctx context.Context) string {
		failure := t.credential(ctx, name).Status.LastFailure
		if failure == nil {
			return ""
		}
		shown := shownCode.FindStringSubmatch(failure.Message)
		if shown == nil {
			return ""
		}
		Expect(shown[1]).To(Equal(t.base() + standin.DevicePath))
		return shown[2]
	}
}

// shows waits until a credential shows another code than the old one.
func (t *tenant) shows(ctx context.Context, name, old string) string {
	GinkgoHelper()
	Eventually(ctx, t.userCode(name)).ShouldNot(Or(BeEmpty(), Equal(old)))
	return t.userCode(name)(ctx)
}

// outcomes answers how many requests ended in a way.
func (t *tenant) outcomes(outcome standin.Outcome) func() int64 {
	return func() int64 { return t.provider.Counts().Outcomes[outcome] }
}

var _ = Describe("the device grant", func() {
	It("shows a code, and has the token when a person has entered it", func(ctx SpecContext) {
		t := newTenant(ctx, byDevice(4*time.Second, time.Minute))
		t.declareDevice(ctx, "acme")
		code := t.shows(ctx, "acme", "")
		Eventually(ctx, t.state("acme")).Should(Equal(toAuthorize))
		Expect(t.message(ctx, "acme")).To(And(ContainSubstring("or open "+t.base()+standin.DevicePath+"?user_code="+code), ContainSubstring("before 20")))
		Expect(t.secret(ctx, "acme")).To(BeNil())

		By("not showing what the token is had for to anybody")
		secret := t.grantOf(ctx, "acme").Device.DeviceCode.Reveal()
		status, err := json.Marshal(t.credential(ctx, "acme"))
		Expect(err).NotTo(HaveOccurred())
		Expect(secret).NotTo(BeEmpty())
		Expect(string(status) + operatorLog.String()).NotTo(ContainSubstring(secret))

		By("asking again and again whether it was entered")
		asked := t.requests("acme")()
		Eventually(ctx, t.requests("acme")).Should(BeNumerically(">=", asked+2))
		Expect(t.provider.ApproveDevice(code)).To(BeTrue())
		token := t.ready(ctx, "acme")
		Expect(t.outcomes(standin.Started)()).To(BeEquivalentTo(1))
		record := t.grantOf(ctx, "acme")
		Expect(record.Device).To(BeNil())

		By("keeping it fresh without anybody from then on")
		family := t.provider.FamilyOf(token).ID
		for range 2 {
			token = t.replaced(ctx, "acme", token, patience)
		}
		Expect(t.provider.Family(family).Refreshes).To(BeNumerically(">=", 2))
		Expect(t.provider.FamilyOf(token).ID).To(Equal(family))
		Expect(t.outcomes(standin.Started)()).To(BeEquivalentTo(1))
	})

	It("takes a no for an answer, until it is asked for another code", func(ctx SpecContext) {
		t := newTenant(ctx, byDevice(time.Hour, time.Minute))
		t.declareDevice(ctx, "files")
		code := t.shows(ctx, "files", "")
		Expect(t.provider.DenyDevice(code)).To(BeTrue())
		t.says(ctx, "files", "declined", "kubectl tokensync refresh files -n "+t.namespace)
		Eventually(ctx, t.state("files")).Should(Equal(toAuthorize))
		t.asked(ctx, "files", int(t.requests("files")()))
		Expect(t.outcomes(standin.Started)()).To(BeEquivalentTo(1))

		t.refreshNow(ctx, "files")
		code = t.shows(ctx, "files", code)
		Expect(t.provider.ApproveDevice(code)).To(BeTrue())
		t.ready(ctx, "files")
		Expect(t.outcomes(standin.Started)()).To(BeEquivalentTo(2))
	})

	It("shows three codes that nobody enters, and no fourth", func(ctx SpecContext) {
		t := newTenant(ctx, byDevice(time.Hour, 2*time.Second))
		t.declareDevice(ctx, "acme")
		t.shows(ctx, "acme", "")
		Eventually(ctx, func() string { return t.message(ctx, "acme") }).WithTimeout(30 * time.Second).Should(And(
			ContainSubstring("nobody has entered the codes"), ContainSubstring("kubectl tokensync refresh acme -n "+t.namespace)))
		Expect(t.outcomes(standin.Started)()).To(BeEquivalentTo(3))
		codes := map[string]bool{}
		for _, status := range observed.statuses(t.namespace, "acme") {
			if status.LastFailure != nil {
				for _, shown := range shownCode.FindAllStringSubmatch(status.LastFailure.Message, -1) {
					codes[shown[2]] = true
				}
			}
		}
		Expect(codes).To(HaveLen(3))
		t.edit(ctx, "OAuthCredential", "acme", "metadata: {labels: {look: again}}")
		Consistently(ctx, t.outcomes(standin.Started)).WithTimeout(3 * time.Second).Should(BeEquivalentTo(3))
		Expect(t.state("acme")(ctx)).To(Equal(toAuthorize))

		t.refreshNow(ctx, "acme")
		Eventually(ctx, t.outcomes(standin.Started)).Should(BeNumerically(">=", 4))
	})

	It("asks more slowly where the provider wants that, also after a restart", func(ctx SpecContext) {
		t := newTenant(ctx, byDevice(time.Hour, time.Minute))
		t.declareDevice(ctx, "acme")
		code := t.shows(ctx, "acme", "")
		t.provider.Misbehave(standin.Behavior{
			Next: 1, Fault: standin.Respond, Status: http.StatusBadRequest, ContentType: "application/json", Body: `{"error":"slow_down"}`,
		})
		Eventually(ctx, func() time.Duration { return t.grantOf(ctx, "acme").Device.Interval }).Should(Equal(6 * time.Second))
		asked := t.requests("acme")()
		restartOperator(ctx)
		Eventually(ctx, t.requests("acme")).WithTimeout(20 * time.Second).Should(BeNumerically(">", asked))
		Expect(t.provider.ApproveDevice(code)).To(BeTrue())
		Eventually(ctx, t.state("acme")).WithTimeout(20 * time.Second).Should(Equal(good))

		var slowed bool
		var times []time.Time
		for _, request := range t.provider.Requests() {
			if slowed = slowed || request.Outcome == standin.Respond.Outcome(); slowed {
				times = append(times, request.Time)
			}
		}
		Expect(len(times)).To(BeNumerically(">=", 2))
		for i := range times[1:] {
			Expect(times[i+1].Sub(times[i])).To(BeNumerically(">=", 6*time.Second-haste))
		}
		Expect(t.outcomes(standin.Started)()).To(BeEquivalentTo(1))
	})

	It("goes on with the code that was shown after the operator was killed", func(ctx SpecContext) {
		t := newTenant(ctx, byDevice(time.Hour, time.Minute))
		t.declareDevice(ctx, "acme")
		code := t.shows(ctx, "acme", "")
		Expect(process.Kill()).To(Succeed())
		Expect(t.provider.ApproveDevice(code)).To(BeTrue())
		startOperator(ctx)
		t.ready(ctx, "acme")
		Expect(t.outcomes(standin.Started)()).To(BeEquivalentTo(1))
	})

	It("shows the code that fits the spec as it is", func(ctx SpecContext) {
		t := newTenant(ctx, byDevice(time.Hour, time.Minute))
		t.declareDevice(ctx, "acme")
		old := t.shows(ctx, "acme", "")
		t.edit(ctx, "OAuthCredential", "acme", "spec: {scopes: [read, write]}")
		code := t.shows(ctx, "acme", old)
		Expect(t.provider.ApproveDevice(code)).To(BeTrue())
		t.ready(ctx, "acme")
		Expect(t.shapeOf("acme")(ctx).Data).To(HaveKeyWithValue("scope", "read write"))
	})

	It("asks for consent anew where the scopes change", func(ctx SpecContext) {
		t := newTenant(ctx, byDevice(time.Hour, time.Minute))
		t.declareDevice(ctx, "acme")
		code := t.shows(ctx, "acme", "")
		Expect(t.provider.ApproveDevice(code)).To(BeTrue())
		t.ready(ctx, "acme")
		t.edit(ctx, "OAuthCredential", "acme", "spec: {scopes: [read, write]}")
		code = t.shows(ctx, "acme", code)
		Expect(t.provider.ApproveDevice(code)).To(BeTrue())
		t.ready(ctx, "acme")
		Expect(t.shapeOf("acme")(ctx).Data).To(HaveKeyWithValue("scope", "read write"))
	})

	It("waits for a provider that fails, and shows its code then", func(ctx SpecContext) {
		t := newTenant(ctx, byDevice(time.Hour, time.Minute))
		t.provider.Misbehave(standin.Behavior{Path: standin.DeviceAuthorizationPath, Fault: standin.Respond, Next: 1})
		t.declareDevice(ctx, "acme")
		code := t.shows(ctx, "acme", "")
		Expect(t.provider.ApproveDevice(code)).To(BeTrue())
		t.ready(ctx, "acme")
	})

	It("asks once more with the code whose answer was lost, and shows another where that is spent", func(ctx SpecContext) {
		t := newTenant(ctx, byDevice(time.Hour, time.Minute))
		t.declareDevice(ctx, "acme")
		code := t.shows(ctx, "acme", "")
		t.provider.Misbehave(standin.Behavior{Next: 1, AfterRotation: true, Fault: standin.Reset})
		Expect(t.provider.ApproveDevice(code)).To(BeTrue())
		code = t.shows(ctx, "acme", code)
		Expect(t.provider.ApproveDevice(code)).To(BeTrue())
		t.ready(ctx, "acme")
		Expect(t.outcomes(standin.Started)()).To(BeEquivalentTo(2))
	})
})

package failures_test

import (
	"encoding/json"
	"fmt"
	"time"

	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("A provider that takes no refresh token twice", func() {
	It("ends the grant by an answer that is lost, of which a person is told once while the last token is served", func(ctx SpecContext) {
		const lifetime = 12 * time.Second
		r := startRotating(ctx, 1, lifetime, standin.Rotation{Grace: standin.GraceNone})
		name := r.names[0]
		last := func() version { return credentials.last(r.namespace, name) }
		told := func() []eventsv1.Event {
			return eventsOfReason(ctx, r.namespace, name, v1alpha1.ReasonRefreshTokenLost)
		}
		process := launchMortal(ctx, r.namespace)
		expectReady(ctx, r.namespace, name)
		served := getSecret(ctx, r.namespace, name+"-token").Data["access_token"]

		r.Misbehave(standin.Behavior{Next: 1, AfterRotation: true, Fault: standin.Reset})
		askForRefresh(ctx, r.namespace, name)
		Eventually(told).WithContext(ctx).Should(HaveLen(1))
		Expect(last().credential.Status.LastFailure).To(HaveField("Reason", v1alpha1.ReasonRefreshTokenLost))
		Expect(last().ready().Status).To(Equal(metav1.ConditionTrue), "the token is good yet")
		message := last().credential.Status.LastFailure.Message
		Expect(message).To(ContainSubstring(fmt.Sprintf("Secret %q", name+"-bootstrap")))
		Expect(told()[0].Note).To(Equal(message))
		requests := r.Counts().Requests
		Expect(requests).To(BeEquivalentTo(3), "the first, that whose answer was lost, and the one that was refused")

		By("killing the operator, and starting it anew")
		process.kill()
		process = startOperator(ctx, []string{r.namespace})
		waitUntilReconciled(ctx, process.Process, 1)
		Expect(last().ready().Status).To(Equal(metav1.ConditionTrue), "there must be time left to be told of it again")
		Expect(told()).To(HaveLen(1))
		Eventually(last).WithContext(ctx).WithTimeout(2 * lifetime).Should(WithTransform(func(v version) metav1.ConditionStatus {
			Expect(getSecret(ctx, r.namespace, name+"-token").Data).To(HaveKeyWithValue("access_token", served))
			return v.ready().Status
		}, Equal(metav1.ConditionFalse)))
		Expect(last().at).To(BeTemporally(">=", last().credential.Status.ExpiresAt.Time))
		Expect(last().ready().Reason).To(Equal(v1alpha1.ReasonRefreshTokenLost))
		Consistently(func() int64 { return r.Counts().Requests }).WithContext(ctx).WithTimeout(2 * time.Second).Should(Equal(requests))
		Expect(getSecret(ctx, r.namespace, name+"-token").Data).To(HaveKeyWithValue("access_token", served))
		Consistently(told).WithContext(ctx).WithTimeout(time.Second).Should(HaveLen(1), "nobody is told twice what to do")
		for _, v := range credentials.of(r.namespace, name) {
			if failure := v.credential.Status.LastFailure; failure != nil && failure.Reason == v1alpha1.ReasonRefreshTokenLost {
				Expect(failure.Message).To(Equal(message))
			}
		}
	})

	It("is asked with the refresh token that came in an answer of no other use", func(ctx SpecContext) {
		r := startRotating(ctx, 1, time.Hour, standin.Rotation{Grace: standin.GraceNone})
		name := r.names[0]
		startOperator(ctx, []string{r.namespace})
		expectReady(ctx, r.namespace, name)
		r.Misbehave(standin.Behavior{Next: 1, AfterRotation: true, ExpiresIn: json.RawMessage("0")})
		askForRefresh(ctx, r.namespace, name)
		Eventually(func() *v1alpha1.LastFailure { return credentials.last(r.namespace, name).credential.Status.LastFailure }).WithContext(ctx).
			Should(HaveField("Reason", v1alpha1.ReasonInvalidResponse))
		Expect(r.whyUnkept(ctx, name)).To(BeEmpty())
		askForRefresh(ctx, r.namespace, name)
		Eventually(r.count(name)).WithContext(ctx).Should(BeEquivalentTo(3))
		Eventually(func() string { return r.whyUnserved(ctx, name) }).WithContext(ctx).Should(BeEmpty())
		r.expectUnharmed()
	})
})

// eventsOfReason lists the events about one credential that give a reason.
func eventsOfReason(ctx SpecContext, namespace, name, reason string) []eventsv1.Event {
	GinkgoHelper()
	var found []eventsv1.Event
	for _, event := range eventsOf(ctx, namespace, name) {
		if event.Reason == reason {
			found = append(found, event)
		}
	}
	return found
}

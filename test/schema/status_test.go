package schema_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("the status", func() {
	var credential *v1alpha1.OAuthCredential

	BeforeEach(func(ctx SpecContext) {
		object, err := create(ctx, strict, manifest("status: {observedGeneration: 7, secretName: forged}"))
		Expect(err).NotTo(HaveOccurred())
		credential = expectReadable(ctx, object)
	})

	It("is not taken from who creates", func() {
		Expect(credential.Status).To(Equal(v1alpha1.OAuthCredentialStatus{ObservedGeneration: -1}))
		Expect(credential.Generation).To(BeEquivalentTo(1))
	})

	It("is not written with the spec", func(ctx SpecContext) {
		credential.Spec.Suspend = true
		credential.Status.SecretName = "forged"
		Expect(controlPlane.Client.Update(ctx, credential)).To(Succeed())
		Expect(credential.Spec.Suspend).To(BeTrue())
		Expect(credential.Status.SecretName).To(BeEmpty())
		Expect(credential.Generation).To(BeEquivalentTo(2))
	})

	It("is written without the spec", func(ctx SpecContext) {
		credential.Spec.Suspend = true
		credential.Status = fullStatus()
		Expect(controlPlane.Client.Status().Update(ctx, credential)).To(Succeed())
		Expect(credential.Spec.Suspend).To(BeFalse())
		Expect(credential.Generation).To(BeEquivalentTo(1))
		again := &v1alpha1.OAuthCredential{}
		Expect(controlPlane.Client.Get(ctx, client.ObjectKeyFromObject(credential), again)).To(Succeed())
		Expect(again.Status).To(BeComparableTo(fullStatus()))
	})
})

// Who may write the status can still not write one that Go cannot read.
var _ = DescribeTable("a field of the status",
	func(ctx SpecContext, fields string, want verdict) {
		name := writeStatus(ctx).Name
		text := must(json.Marshal(object(fmt.Sprintf("status: {%s}", fields))))
		_, err := send(ctx, credentials.request(http.MethodPatch, mergePatch, strict).Name(name).SubResource("status").Body(text))
		if len(want.says) > 0 {
			expectComplaint(err, want.says)
			return
		}
		Expect(err).NotTo(HaveOccurred())
	},
	Entry("may be an instant of UTC", "issuedAt: '2030-01-02T03:04:05Z'", accepted()),
	Entry("may be no instant in lower case", "issuedAt: '2030-01-02t03:04:05z'", refused("status.issuedAt", "should match")),
	Entry("may be no instant of another zone", "expiresAt: '2030-01-02T03:04:05+01:00'", refused("status.expiresAt", "should match")),
	Entry("may be no instant with a fraction", "refreshAt: '2030-01-02T03:04:05.5Z'", refused("status.refreshAt", "should match")),
	Entry("may be no day alone", "refreshAt: '2030-01-02'", refused("status.refreshAt", "must be of type date-time")),
	Entry("may be a condition", "conditions: ["+condition("Ready", "'2030-01-02T03:04:05+01:00'")+"]", accepted()),
	Entry("may be no condition since an instant in lower case", "conditions: ["+condition("Ready", "'2030-01-02t03:04:05z'")+"]",
		refused("status.conditions", "Invalid value")),
	Entry("may be 16 conditions", "conditions: ["+entries(16, condition("Type%d", "'2030-01-02T03:04:05Z'"))+"]", accepted()),
	Entry("may not be 17", "conditions: ["+entries(17, condition("Type%d", "'2030-01-02T03:04:05Z'"))+"]",
		refused("status.conditions", "Too many", "at most 16")),
	Entry("may be no condition twice", fmt.Sprintf("conditions: [%s, %[1]s]", condition("Ready", "'2030-01-02T03:04:05Z'")),
		refused("status.conditions[1]", "Duplicate value")),
	Entry("may be a failure", "lastFailure: {count: 1}", accepted()),
	Entry("may be no failure that never happened", "lastFailure: {count: 0}", refused("status.lastFailure.count", "greater than or equal to 1")),
	Entry("may be no failure without a reason", "lastFailure: {reason: null}", refused("status.lastFailure.reason", "Required value")),
	Entry("may be no failure without an instant", "lastFailure: {time: null}", refused("status.lastFailure.time", "Required value")),
	Entry("may be a long message", fmt.Sprintf("lastFailure: {message: %s}", strings.Repeat("a", 1024)), accepted()),
	Entry("may be no longer message", fmt.Sprintf("lastFailure: {message: %s}", strings.Repeat("a", 1025)),
		refused("status.lastFailure.message", "Too long", "1024")),
	Entry("may be no longer reason", fmt.Sprintf("lastFailure: {reason: %s}", strings.Repeat("a", 65)),
		refused("status.lastFailure.reason", "Too long", "64")),
	Entry("may be 260 sources", fmt.Sprintf("sources: [%s]", entries(260, "{kind: Secret, name: s%d}")), accepted()),
	Entry("may not be 261", fmt.Sprintf("sources: [%s]", entries(261, "{kind: Secret, name: s%d}")),
		refused("status.sources", "Too many", "at most 260")),
	Entry("may be no source of another kind", "sources: [{kind: Pod, name: a}]", refused("status.sources[0].kind", `"Secret", "ConfigMap"`)),
	Entry("may be no source without a name", "sources: [{kind: Secret}]", refused("status.sources[0].name", "Required value")),
	Entry("may be the name of a Secret", "secretName: "+strings.Repeat("a", 253), accepted()),
	Entry("may be no longer name", "secretName: "+strings.Repeat("a", 254), refused("status.secretName", "Too long", "253")),
	Entry("may be a handled request", "lastRefreshRequest: "+strings.Repeat("a", 256), accepted()),
	Entry("may be no longer one", "lastRefreshRequest: "+strings.Repeat("a", 257), refused("status.lastRefreshRequest", "Too long", "256")),
	Entry("may be the end of a refresh token", "refreshTokenExpiresAt: '2030-01-02T03:04:05Z'", accepted()),
	Entry("may be no end of one in another zone", "refreshTokenExpiresAt: '2030-01-02T03:04:05+01:00'",
		refused("status.refreshTokenExpiresAt", "should match")),
	Entry("may be a grant", "grant: {chain: "+strings.Repeat("a", 64)+"}", accepted()),
	Entry("may be a grant that has not begun", "grant: {bootstrapResourceVersion: '7'}", accepted()),
	Entry("may be no grant of which nothing is known",
		"grant: {resourceVersion: null, warnAfter: null, useBy: null, chain: null, bootstrapHash: null, bootstrapResourceVersion: null}",
		refused("status.grant", "should have at least 1 properties")),
	Entry("may be no longer chain", "grant: {chain: "+strings.Repeat("a", 65)+"}", refused("status.grant.chain", "Too long", "64")),
	Entry("may be no empty chain", "grant: {chain: ''}", refused("status.grant.chain", "at least 1 chars")),
	Entry("may be no longer hash", "grant: {bootstrapHash: "+strings.Repeat("a", 65)+"}", refused("status.grant.bootstrapHash", "Too long", "64")),
	Entry("may be no longer version of a grant", "grant: {resourceVersion: "+strings.Repeat("a", 257)+"}",
		refused("status.grant.resourceVersion", "Too long", "256")),
	Entry("may be no warning after an instant with a fraction", "grant: {warnAfter: '2030-01-02T03:04:05.5Z'}",
		refused("status.grant.warnAfter", "should match")),
	Entry("may be no last use at an instant of another zone", "grant: {useBy: '2030-01-02T03:04:05+01:00'}",
		refused("status.grant.useBy", "should match")),
	Entry("may be a version", "secretResourceVersion: "+strings.Repeat("a", 256), accepted()),
	Entry("may be no longer one of a Secret", "secretResourceVersion: "+strings.Repeat("a", 257),
		refused("status.secretResourceVersion", "Too long", "256")),
)

var _ = DescribeTable("a field of the status of a provider",
	func(ctx SpecContext, fields string, want verdict) {
		for _, k := range providerKinds {
			made, err := create(ctx, strict, k.manifest("status: {observedGeneration: 7, tokenURL: forged}"))
			Expect(err).NotTo(HaveOccurred())
			Expect(made["status"]).To(Equal(map[string]any{"observedGeneration": -1.0}), "not from who creates")
			text := must(json.Marshal(object(fmt.Sprintf("{spec: {timeout: 7s}, status: {%s}}", fields))))
			written, err := send(ctx, k.request(http.MethodPatch, mergePatch, strict).Name(nameOf(made)).SubResource("status").Body(text))
			if len(want.says) > 0 {
				expectComplaint(err, want.says)
				continue
			}
			Expect(err).NotTo(HaveOccurred())
			Expect(written["spec"]).NotTo(HaveKey("timeout"))
			k.read(ctx, nameOf(made))
		}
	},
	Entry("may be a generation", "observedGeneration: 1", accepted()),
	Entry("may be the token URL", "tokenURL: "+example, accepted()),
	Entry("may be no empty URL", "tokenURL: ''", refused("status.tokenURL", "at least 1 chars")),
	Entry("may be no longer one", "tokenURL: "+strings.Repeat("a", 2049), refused("status.tokenURL", "Too long", "2048")),
	Entry("may be a condition", "conditions: ["+condition("Ready", "'2030-01-02T03:04:05+01:00'")+"]", accepted()),
	Entry("may be no condition since an instant in lower case", "conditions: ["+condition("Ready", "'2030-01-02t03:04:05z'")+"]",
		refused("status.conditions", "Invalid value")),
	Entry("may not be 17 conditions", "conditions: ["+entries(17, condition("Type%d", "'2030-01-02T03:04:05Z'"))+"]",
		refused("status.conditions", "Too many", "at most 16")),
)

func condition(name, since string) string {
	return fmt.Sprintf("{type: %s, status: 'True', reason: A, message: '', lastTransitionTime: %s}", name, since)
}

// writeStatus gives a new credential the full status.
func writeStatus(ctx context.Context) *v1alpha1.OAuthCredential {
	GinkgoHelper()
	object, err := create(ctx, strict, manifest("spec: {secret: {name: acme-token}}"))
	Expect(err).NotTo(HaveOccurred())
	credential := expectReadable(ctx, object)
	credential.Status = fullStatus()
	Expect(controlPlane.Client.Status().Update(ctx, credential)).To(Succeed())
	return credential
}

// fullStatus has every field set.
func fullStatus() v1alpha1.OAuthCredentialStatus {
	at := metav1.Date(2030, time.January, 2, 3, 4, 5, 0, time.UTC).Rfc3339Copy()
	later := metav1.NewTime(at.Add(time.Hour))
	status := v1alpha1.OAuthCredentialStatus{
		ObservedGeneration: 1, SecretName: "acme-token", SecretResourceVersion: "41", LastRefreshRequest: "now",
		IssuedAt: &at, RefreshAt: &at, ExpiresAt: &later, RefreshTokenExpiresAt: &later,
		Grant: &v1alpha1.GrantStatus{
			ResourceVersion: "42", WarnAfter: &at, UseBy: &at, Chain: "chain", BootstrapHash: "hash", BootstrapResourceVersion: "39",
		},
		LastFailure: &v1alpha1.LastFailure{Time: later, FirstTime: at, Reason: v1alpha1.ReasonRateLimited, Message: "Wait.", Count: 3},
		Sources:     []v1alpha1.SourceVersion{{Kind: v1alpha1.KindSecret, Name: "acme", ResourceVersion: "40"}},
	}
	meta.SetStatusCondition(&status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonTokenIssued,
		Message: "The Secret holds a token.", ObservedGeneration: 1, LastTransitionTime: at,
	})
	return status
}

// providerStatus has every field set.
func providerStatus() v1alpha1.ProviderStatus {
	status := v1alpha1.ProviderStatus{ObservedGeneration: 1, TokenURL: example}
	meta.SetStatusCondition(&status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonProviderReady,
		Message: "The provider can be used.", ObservedGeneration: 1,
		LastTransitionTime: metav1.Date(2030, time.January, 2, 3, 4, 5, 0, time.UTC).Rfc3339Copy(),
	})
	return status
}

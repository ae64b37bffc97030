package injection_test

import (
	"context"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// late is a policy that adds a container after the sidecar has come. Policies follow each
// other by their names.
const late = `
metadata: {name: z-late}
spec:
  reinvocationPolicy: Never
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
  matchConditions:
  - {name: late, expression: 'object.metadata.?labels.late.hasValue()'}
  mutations:
  - patchType: JSONPatch
    jsonPatch:
      expression: >-
        [JSONPatch{op: "add", path: "/spec/containers/-", value: Object.spec.containers{name: "late", image: "late"}}]
`

var _ = Describe("The policies", func() {
	It("leave pods alone that ask for nothing, to the byte", func(ctx SpecContext) {
		for i, pod := range plain() {
			Expect(lasting(create(ctx, pod))).To(Equal(untouched[i]))
		}
	})

	DescribeTable("pass over pods that cannot run the sidecar", func(ctx SpecContext, change func(*corev1.Pod)) {
		pod := app()
		change(pod)
		want := lasting(create(ctx, pod))
		// Whatever the annotation says.
		pod, err := judged(ctx, annotated(pod, injectSecret, "No Name"))
		Expect(err).NotTo(HaveOccurred())
		delete(pod.Annotations, injectSecret)
		if len(pod.Annotations) == 0 {
			pod.Annotations = nil
		}
		Expect(lasting(pod)).To(Equal(want))
	},
		Entry("of Windows", func(pod *corev1.Pod) { pod.Spec.OS = &corev1.PodOS{Name: corev1.Windows} }),
		Entry("of nodes with Windows", func(pod *corev1.Pod) {
			pod.Spec.NodeSelector = map[string]string{"kubernetes.io/os": "windows"}
		}),
		Entry("of a file of the kubelet", func(pod *corev1.Pod) {
			annotated(pod, "kubernetes.io/config.mirror", "hash")
			pod.Spec.NodeName = "node"
		}),
	)

	It("give the token to containers that come later", func(ctx SpecContext) {
		policy := &admissionregistrationv1.MutatingAdmissionPolicy{}
		Expect(yaml.UnmarshalStrict([]byte(late), policy)).To(Succeed())
		binding := &admissionregistrationv1.MutatingAdmissionPolicyBinding{
			ObjectMeta: metav1.ObjectMeta{Name: policy.Name},
			Spec:       admissionregistrationv1.MutatingAdmissionPolicyBindingSpec{PolicyName: policy.Name},
		}
		Expect(api.Create(ctx, policy)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) error { return api.Delete(ctx, policy) })
		Expect(api.Create(ctx, binding)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) error { return api.Delete(ctx, binding) })

		pod := asking(app())
		pod.Labels = map[string]string{"late": "yes"}
		var admitted *corev1.Pod
		Eventually(ctx, func(ctx context.Context) ([]string, error) {
			var err error
			admitted, err = judged(ctx, pod)
			return names(admitted.Spec.Containers), err
		}).Should(Equal([]string{"app", "late"}))
		Expect(mounts(admitted.Spec.Containers[1])).To(HaveKeyWithValue(defaultPath, readOnly("tokensync")))
	})

	It("admit no pod without the sidecar that asks for it", func(ctx SpecContext) {
		binding := &admissionregistrationv1.MutatingAdmissionPolicyBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "tokensync-injection"},
		}
		Expect(api.Delete(ctx, binding)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) {
			apply(ctx, "mutating_policy_binding.yaml")
			Eventually(ctx, func(ctx context.Context) error {
				_, err := judged(ctx, asking(app()))
				return err
			}).Should(Succeed())
		})
		Eventually(ctx, func(ctx context.Context) error {
			_, err := judged(ctx, asking(app()))
			return err
		}).Should(MatchError(ContainSubstring("was not given the sidecar")))
	})

	// Or a pod would be passed over by the one and not refused by the other.
	It("agree on what a pod may ask for", func() {
		mutating := &admissionregistrationv1.MutatingAdmissionPolicy{}
		validating := &admissionregistrationv1.ValidatingAdmissionPolicy{}
		Expect(yaml.UnmarshalStrict([]byte(read("injection", "mutating_policy.yaml")), mutating)).To(Succeed())
		Expect(yaml.UnmarshalStrict([]byte(read("injection", "validating_policy.yaml")), validating)).To(Succeed())
		var conditions, demands []string
		for _, condition := range mutating.Spec.MatchConditions {
			conditions = append(conditions, condition.Expression)
		}
		for _, condition := range validating.Spec.MatchConditions {
			demands = append(demands, condition.Expression)
		}
		validations := validating.Spec.Validations
		for _, validation := range validations[:len(validations)-1] {
			demands = append(demands, validation.Expression)
		}
		Expect(demands).To(Equal(conditions))
	})
})

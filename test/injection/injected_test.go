package injection_test

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	defaultPath = "/var/run/tokensync"
	// apiPath is where every client of the API server looks for its token.
	apiPath = "/var/run/secrets/kubernetes.io/serviceaccount"
)

var _ = Describe("A pod that asks for the token", func() {
	It("gets a sidecar that the pod waits for", func(ctx SpecContext) {
		container := sidecar(create(ctx, asking(app())))
		Expect(container.Image).To(HavePrefix("ghcr.io/tokensync/tokensync-sidecar:v"))
		Expect(container.RestartPolicy).To(HaveValue(Equal(corev1.ContainerRestartPolicyAlways)))
		Expect(container.Env).To(ConsistOf(
			corev1.EnvVar{Name: "TOKENSYNC_SECRET", Value: "acme-news-token"},
			corev1.EnvVar{Name: "TOKENSYNC_OUTPUT_DIR", Value: defaultPath},
			corev1.EnvVar{Name: "TOKENSYNC_HEALTH_ADDRESS", Value: ":9808"},
		))
		Expect(container.StartupProbe.HTTPGet.Path).To(Equal("/readyz"))
		Expect(container.StartupProbe.HTTPGet.Port).To(Equal(intstr.FromInt32(9808)))
		Expect(container.LivenessProbe.HTTPGet.Path).To(Equal("/healthz"))
		Expect(container.LivenessProbe.HTTPGet.Port).To(Equal(intstr.FromInt32(9808)))
		Expect(container.ReadinessProbe).To(BeNil())
		Expect(container.Resources.Requests).To(HaveKeyWithValue(corev1.ResourceMemory, resource.MustParse("24Mi")))
		Expect(container.Resources.Limits).To(HaveLen(1))
	})

	It("has the token in memory, and nowhere else", func(ctx SpecContext) {
		pod := create(ctx, asking(app()))
		Expect(volume(pod, "tokensync").EmptyDir).To(Equal(
			&corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory, SizeLimit: new(resource.MustParse("4Mi"))},
		))
		Expect(mounts(sidecar(pod))).To(And(HaveLen(2), HaveKey(apiPath), HaveKeyWithValue(defaultPath, writable("tokensync"))))
	})

	DescribeTable("finds the token in every container", func(ctx SpecContext, pod *corev1.Pod) {
		before := pod.DeepCopy()
		pod = create(ctx, asking(pod))
		Expect(names(pod.Spec.InitContainers)).To(Equal(append([]string{"tokensync"}, names(before.Spec.InitContainers)...)))
		Expect(names(pod.Spec.Containers)).To(Equal(names(before.Spec.Containers)))
		was := append(before.Spec.InitContainers, before.Spec.Containers...)
		for i, container := range append(pod.Spec.InitContainers[1:], pod.Spec.Containers...) {
			Expect(mounts(container)).To(HaveKeyWithValue(defaultPath, readOnly("tokensync")), container.Name)
			Expect(mounts(container)).To(HaveLen(len(was[i].VolumeMounts)+1), container.Name)
			for _, mount := range was[i].VolumeMounts {
				Expect(mounts(container)).To(HaveKeyWithValue(mount.MountPath, mount))
			}
			Expect(container.Env).To(Equal(was[i].Env))
			Expect(container.Ports).To(Equal(was[i].Ports))
		}
		for _, v := range before.Spec.Volumes {
			volume(pod, v.Name)
		}
	},
		Entry("with one container", app()),
		Entry("with volumes, init containers and the sidecar of somebody else", crowded()),
		Entry("restricted by the Pod Security Standard", hardened()),
	)

	It("is admitted where pods are restricted, as it was before", func(ctx SpecContext) {
		pod := create(ctx, asking(hardened()))
		Expect(sidecar(pod).SecurityContext.RunAsUser).To(BeNil())
		loose := hardened()
		loose.Spec.Containers[0].SecurityContext = nil
		_, err := judged(ctx, asking(loose))
		Expect(err).To(MatchError(And(ContainSubstring("violates PodSecurity"), Not(ContainSubstring(`"tokensync"`)))))
	})

	It("has a sidecar that is not root, although the others are", func(ctx SpecContext) {
		pod := app()
		pod.Spec.SecurityContext = &corev1.PodSecurityContext{RunAsUser: new(int64(0)), RunAsNonRoot: new(false)}
		context := sidecar(create(ctx, asking(pod))).SecurityContext
		Expect(context.RunAsUser).To(HaveValue(BeEquivalentTo(65532)))
		Expect(context.RunAsNonRoot).To(HaveValue(BeTrue()))
	})

	It("has a sidecar of its user, who is not root", func(ctx SpecContext) {
		pod := app()
		pod.Spec.SecurityContext = &corev1.PodSecurityContext{RunAsUser: new(int64(1000))}
		Expect(sidecar(create(ctx, asking(pod))).SecurityContext.RunAsUser).To(BeNil())
	})

	DescribeTable("speaks to the API server in the sidecar", func(ctx SpecContext, automount bool) {
		pod := app()
		pod.Spec.AutomountServiceAccountToken = new(automount)
		pod = create(ctx, asking(pod))
		Expect(mounts(sidecar(pod))).To(HaveKeyWithValue(apiPath, readOnly("tokensync-api")))
		sources := volume(pod, "tokensync-api").Projected.Sources
		Expect(sources).To(HaveLen(3))
		Expect(sources[0].ServiceAccountToken.Path).To(Equal("token"))
		Expect(sources[1].ConfigMap.Name).To(Equal("kube-root-ca.crt"))
		Expect(sources[2].DownwardAPI.Items[0].Path).To(Equal("namespace"))
		app := pod.Spec.Containers[0]
		Expect(app.VolumeMounts).NotTo(ContainElement(HaveField("Name", "tokensync-api")))
		Expect(app.VolumeMounts).To(HaveLen(map[bool]int{true: 2, false: 1}[automount]))
	},
		Entry("where the pod mounts the token of its ServiceAccount", true),
		Entry("where it does not", false),
	)

	It("chooses where the token is", func(ctx SpecContext) {
		pod := create(ctx, annotated(asking(crowded()), injectPath, "/etc/acme-news_2/.token"))
		for _, container := range append(pod.Spec.InitContainers[1:], pod.Spec.Containers...) {
			Expect(mounts(container)).To(HaveKeyWithValue("/etc/acme-news_2/.token", readOnly("tokensync")))
			Expect(mounts(container)).NotTo(HaveKey(defaultPath))
		}
		Expect(mounts(sidecar(pod))).To(HaveKeyWithValue(defaultPath, writable("tokensync")))
	})

	It("chooses the port of the sidecar's health", func(ctx SpecContext) {
		pod := annotated(asking(app()), injectHealthPort, "65535")
		pod.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 9808}}
		container := sidecar(create(ctx, pod))
		Expect(container.Env).To(ContainElement(corev1.EnvVar{Name: "TOKENSYNC_HEALTH_ADDRESS", Value: ":65535"}))
		Expect(container.StartupProbe.HTTPGet.Port).To(Equal(intstr.FromInt32(65535)))
		Expect(container.LivenessProbe.HTTPGet.Port).To(Equal(intstr.FromInt32(65535)))
		Expect(container.Ports).To(ConsistOf(HaveField("ContainerPort", BeEquivalentTo(65535))))
	})

	It("keeps others with its port off the node, in the network of the node", func(ctx SpecContext) {
		pod := app()
		pod.Spec.HostNetwork = true
		Expect(sidecar(create(ctx, asking(pod))).Ports).To(ConsistOf(HaveField("HostPort", BeEquivalentTo(9808))))
	})

	It("may bring a volume of its own for the token, if that is in memory", func(ctx SpecContext) {
		pod := app()
		own := corev1.Volume{Name: "tokensync", VolumeSource: corev1.VolumeSource{
			EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory, SizeLimit: new(resource.MustParse("16Mi"))},
		}}
		pod.Spec.Volumes = []corev1.Volume{own}
		pod.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "tokensync", MountPath: "/also"}}
		pod = create(ctx, asking(pod))
		Expect(volume(pod, "tokensync")).To(Equal(own))
		Expect(mounts(pod.Spec.Containers[0])).To(And(HaveKey("/also"), HaveKey(defaultPath)))
	})

	DescribeTable("is not changed by a second injection", func(ctx SpecContext, pod *corev1.Pod) {
		pod = create(ctx, pod)
		Expect(lasting(create(ctx, copyOf(pod)))).To(Equal(lasting(pod)))
	},
		Entry("with one container", asking(app())),
		Entry("with everything", annotated(asking(crowded()), injectPath, "/token", injectHealthPort, "9999")),
		Entry("restricted", asking(hardened())),
	)

	It("comes from the Deployment of the sample", func(ctx SpecContext) {
		deployment := &appsv1.Deployment{}
		for document := range strings.SplitSeq(read("samples", "injected.yaml"), "\n---\n") {
			object := &unstructured.Unstructured{}
			Expect(yaml.UnmarshalStrict([]byte(document), &object.Object)).To(Succeed())
			object.SetNamespace(restricted)
			Expect(api.Create(ctx, object)).To(Succeed())
			if object.GetKind() == "Deployment" {
				Expect(api.Get(ctx, client.ObjectKeyFromObject(object), deployment)).To(Succeed())
			}
		}
		Expect(deployment.Spec.Template.Spec.InitContainers).To(BeEmpty())
		// As the controller of ReplicaSets makes it.
		template := deployment.Spec.Template
		pod := create(ctx, &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: restricted, GenerateName: deployment.Name + "-", Labels: template.Labels, Annotations: template.Annotations,
				OwnerReferences: []metav1.OwnerReference{{
					APIVersion: "apps/v1", Kind: "ReplicaSet", Name: deployment.Name + "-1", UID: types.UID("of-the-replica-set"),
					Controller: new(true), BlockOwnerDeletion: new(true),
				}},
			},
			Spec: template.Spec,
		})
		Expect(sidecar(pod).Env).To(ContainElement(HaveField("Value", "acme-news-token")))
		Expect(mounts(pod.Spec.Containers[0])).To(HaveKeyWithValue("/var/run/acme-news", readOnly("tokensync")))
		Expect(pod.OwnerReferences).To(HaveLen(1))
	})

	It("can be edited and debugged later", func(ctx SpecContext) {
		pod := create(ctx, asking(crowded()))
		patch := `{"metadata":{"labels":{"a":"b"},"annotations":{"` + injectSecret + `":"Another One"}}}`
		Expect(api.Patch(ctx, pod, client.RawPatch(types.MergePatchType, []byte(patch)))).To(Succeed())
		pod.Spec.Containers[0].Image = "another"
		Expect(api.Update(ctx, pod)).To(Succeed())
		debugger := corev1.EphemeralContainer{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug", Image: "debug"}}
		pod.Spec.EphemeralContainers = []corev1.EphemeralContainer{debugger}
		Expect(api.SubResource("ephemeralcontainers").Update(ctx, pod)).To(Succeed())
		Expect(api.Get(ctx, client.ObjectKeyFromObject(pod), pod)).To(Succeed())
		Expect(pod.Spec.EphemeralContainers).To(HaveLen(1))
		Expect(pod.Spec.EphemeralContainers[0].VolumeMounts).To(BeEmpty())
		Expect(pod.Spec.Containers[0].Image).To(Equal("another"))
	})
})

// writable and readOnly match how a volume is mounted.
func writable(volume string) OmegaMatcher {
	return And(HaveField("Name", volume), HaveField("ReadOnly", false), HaveField("SubPath", ""))
}

func readOnly(volume string) OmegaMatcher {
	return And(HaveField("Name", volume), HaveField("ReadOnly", true), HaveField("SubPath", ""))
}

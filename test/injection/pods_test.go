package injection_test

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// app is a pod with one container.
func app() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "app-"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "app"}}},
	}
}

// hardened is a pod that the Pod Security Standard restricted admits.
func hardened() *corev1.Pod {
	pod := app()
	pod.Namespace = restricted
	pod.Spec.SecurityContext = &corev1.PodSecurityContext{
		RunAsNonRoot: new(true), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
	pod.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{
		AllowPrivilegeEscalation: new(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
	return pod
}

// crowded is a pod that has of everything what the policies go by.
func crowded() *corev1.Pod {
	pod := app()
	pod.Spec.Volumes = []corev1.Volume{{Name: "cache"}, {Name: "more"}}
	cache := []corev1.VolumeMount{{Name: "cache", MountPath: "/cache"}, {Name: "more", MountPath: "/var/run", SubPath: "run"}}
	pod.Spec.InitContainers = []corev1.Container{
		{Name: "migrate", Image: "migrate", VolumeMounts: cache},
		{Name: "mesh", Image: "mesh", RestartPolicy: new(corev1.ContainerRestartPolicyAlways)},
	}
	pod.Spec.Containers[0].VolumeMounts = cache
	pod.Spec.Containers[0].Ports = []corev1.ContainerPort{
		{ContainerPort: 53, Protocol: corev1.ProtocolTCP}, {ContainerPort: 53, Protocol: corev1.ProtocolUDP},
	}
	// A variable may stand twice: the last one wins.
	pod.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "MODE", Value: "a"}, {Name: "MODE", Value: "b"}}
	pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: "log", Image: "log"})
	return pod
}

// plain are pods that ask for nothing.
func plain() []*corev1.Pod {
	other := annotated(app(), "tokensync.dev/injected", "token")
	other.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "tokensync", MountPath: "/var/run/tokensync"}}
	other.Spec.Volumes = []corev1.Volume{{Name: "tokensync"}}
	return []*corev1.Pod{app(), hardened(), crowded(), other, annotated(app(), "example.com/inject", "token")}
}

// asking has a pod ask for the sidecar.
func asking(pod *corev1.Pod) *corev1.Pod { return annotated(pod, injectSecret, "acme-news-token") }

// annotated has a pod carry annotations, given by name and value.
func annotated(pod *corev1.Pod, pairs ...string) *corev1.Pod {
	if pod.Annotations == nil {
		pod.Annotations = map[string]string{}
	}
	for pair := range slices.Chunk(pairs, 2) {
		pod.Annotations[pair[0]] = pair[1]
	}
	return pod
}

// judged is what the API server would make of a pod.
func judged(ctx context.Context, pod *corev1.Pod) (*corev1.Pod, error) {
	pod = placed(pod)
	return pod, api.Create(ctx, pod, client.DryRunAll)
}

// create makes a pod, and answers what became of it.
func create(ctx context.Context, pod *corev1.Pod) *corev1.Pod {
	GinkgoHelper()
	pod = placed(pod)
	Expect(api.Create(ctx, pod)).To(Succeed())
	return pod
}

// placed is a copy of a pod in a namespace.
func placed(pod *corev1.Pod) *corev1.Pod {
	pod = pod.DeepCopy()
	if pod.Namespace == "" {
		pod.Namespace = namespace
	}
	return pod
}

// copyOf is a pod as a person makes another one of it: without what the API server knows
// of the first.
func copyOf(pod *corev1.Pod) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: pod.Namespace, GenerateName: pod.GenerateName, Annotations: pod.Annotations, Labels: pod.Labels,
		},
		Spec: *pod.Spec.DeepCopy(),
	}
}

// lasting is what two pods of one manifest have in common, to the byte.
func lasting(pod *corev1.Pod) string {
	GinkgoHelper()
	content, err := json.Marshal(copyOf(pod))
	Expect(err).NotTo(HaveOccurred())
	// The volume of the ServiceAccount's token has a random name.
	return regexp.MustCompile(`kube-api-access-[a-z0-9]{5}`).ReplaceAllString(string(content), "kube-api-access")
}

// names are the names of containers, in their order.
func names(containers []corev1.Container) []string {
	var all []string
	for i := range containers {
		all = append(all, containers[i].Name)
	}
	return all
}

// sidecar is the container that was injected, which must be the first.
func sidecar(pod *corev1.Pod) corev1.Container {
	GinkgoHelper()
	Expect(pod.Spec.InitContainers).NotTo(BeEmpty())
	Expect(pod.Spec.InitContainers[0].Name).To(Equal("tokensync"))
	return pod.Spec.InitContainers[0]
}

// mounts are the mounts of a container by path, but for that of its ServiceAccount.
func mounts(container corev1.Container) map[string]corev1.VolumeMount {
	GinkgoHelper()
	found := map[string]corev1.VolumeMount{}
	for _, mount := range container.VolumeMounts {
		Expect(found).NotTo(HaveKey(mount.MountPath))
		if !regexp.MustCompile(`^kube-api-access-`).MatchString(mount.Name) {
			found[mount.MountPath] = mount
		}
	}
	return found
}

// volume is a volume of a pod by its name, of which there must be one.
func volume(pod *corev1.Pod, name string) corev1.Volume {
	GinkgoHelper()
	var found []corev1.Volume
	for _, v := range pod.Spec.Volumes {
		if v.Name == name {
			found = append(found, v)
		}
	}
	Expect(found).To(HaveLen(1), name)
	return found[0]
}

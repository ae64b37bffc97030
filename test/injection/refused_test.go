package injection_test

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// with changes a pod in a table of pods.
func with(change func(*corev1.Pod)) *corev1.Pod {
	pod := crowded()
	change(pod)
	return asking(pod)
}

var _ = Describe("A pod that asks for what it cannot get", func() {
	DescribeTable("is refused, and told what to change", func(ctx SpecContext, pod *corev1.Pod, message string) {
		_, err := judged(ctx, pod)
		Expect(err).To(MatchError(And(ContainSubstring("denied request: "), ContainSubstring(message))))
	},
		Entry("no Secret", annotated(app(), injectSecret, ""), `inject-secret is "": make it the name of a Secret`),
		Entry("no name", annotated(app(), injectSecret, "acme_news"), `inject-secret is "acme_news": make it the name of a Secret`),
		Entry("two names", annotated(app(), injectSecret, "a,b"), "make it the name of a Secret"),
		Entry("a name of another namespace", annotated(app(), injectSecret, "web/a"), "make it the name of a Secret"),
		Entry("too long a name", annotated(app(), injectSecret, strings.Repeat("a", 254)), "make it the name of a Secret"),
		Entry("an annotation that there is not", annotated(asking(app()), "tokensync.dev/inject-dir", "/token"),
			"the annotation tokensync.dev/inject-dir is not known: there are tokensync.dev/inject-secret, inject-path"),
		Entry("a misspelled Secret", annotated(app(), "tokensync.dev/inject-secrets", "a"),
			"the annotation tokensync.dev/inject-secrets is not known"),
		Entry("a path for nothing", annotated(app(), injectPath, "/token"),
			"not the one that names the Secret: add tokensync.dev/inject-secret, or remove the others"),
		Entry("no path", annotated(asking(app()), injectPath, ""), `inject-path is "": make it an absolute path`),
		Entry("a relative path", annotated(asking(app()), injectPath, "run/token"), `inject-path is "run/token": make it an absolute path`),
		Entry("the root", annotated(asking(app()), injectPath, "/"), "make it an absolute path"),
		Entry("a path upwards", annotated(asking(app()), injectPath, "/var/../etc"), "make it an absolute path"),
		Entry("a path to where it is", annotated(asking(app()), injectPath, "/var/./run"), "make it an absolute path"),
		Entry("a path with a colon", annotated(asking(app()), injectPath, "/a:/b"), "make it an absolute path"),
		Entry("a path with an end too much", annotated(asking(app()), injectPath, "/token/"), "make it an absolute path"),
		Entry("too long a path", annotated(asking(app()), injectPath, "/"+strings.Repeat("a", 255)), "make it an absolute path"),
		Entry("a path that the image needs", annotated(asking(app()), injectPath, "/etc"),
			`inject-path is "/etc", and the token there would hide what the image has: make it a folder of the token's own`),
		Entry("a path where programs are", annotated(asking(app()), injectPath, "/usr/bin"), "would hide what the image has"),
		Entry("a path of the kernel", annotated(asking(app()), injectPath, "/proc/token"), "would hide what the image has"),
		Entry("a port that is a name", annotated(asking(app()), injectHealthPort, "health"), `is "health": make it a number`),
		Entry("a port of the system", annotated(asking(app()), injectHealthPort, "1023"), "from 1024 to 65535"),
		Entry("a port that there is not", annotated(asking(app()), injectHealthPort, "65536"), "from 1024 to 65535"),
		Entry("a port of the app", with(func(pod *corev1.Pod) {
			pod.Spec.Containers[1].Ports = []corev1.ContainerPort{{ContainerPort: 9808}}
		}), "the container log has the port 9808, where the sidecar would serve its health: set the annotation tokensync.dev/inject-health-port"),
		Entry("a port of another sidecar", annotated(with(func(pod *corev1.Pod) {
			pod.Spec.InitContainers[1].Ports = []corev1.ContainerPort{{ContainerPort: 15020}}
		}), injectHealthPort, "15020"), "the container mesh has the port 15020"),
		Entry("a path that is taken", annotated(asking(crowded()), injectPath, "/cache"),
			"the container app has something mounted at or below /cache, where the token would be: set the annotation tokensync.dev/inject-path"),
		Entry("a path that is taken in an init container", with(func(pod *corev1.Pod) {
			pod.Spec.InitContainers[1].VolumeMounts = []corev1.VolumeMount{{Name: "cache", MountPath: defaultPath + "/"}}
		}), "has something mounted at or below "+defaultPath),
		Entry("a path with something below it, where nothing can be made", annotated(with(func(pod *corev1.Pod) {
			pod.Spec.Containers[1].VolumeMounts = []corev1.VolumeMount{{Name: "cache", MountPath: "/srv/app/cache"}}
		}), injectPath, "/srv/app"), "the container log has something mounted at or below /srv/app, where"),
		Entry("the path of the ServiceAccount", annotated(asking(app()), injectPath, apiPath), "has something mounted at or below "+apiPath),
		Entry("a volume for the token that is a disk", with(func(pod *corev1.Pod) {
			pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: "tokensync"})
		}), "has a volume tokensync that is not in memory"),
		Entry("a volume for the token that is a Secret", with(func(pod *corev1.Pod) {
			pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{
				Name: "tokensync", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "a"}},
			})
		}), "has a volume tokensync that is not in memory"),
		Entry("a part of that volume at the path", with(func(pod *corev1.Pod) {
			pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: "tokensync", VolumeSource: corev1.VolumeSource{
				EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory},
			}})
			pod.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "tokensync", MountPath: defaultPath, SubPath: "a"}}
		}), "has something mounted at or below "+defaultPath),
		Entry("something at the path of one that has the token", with(func(pod *corev1.Pod) {
			pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: "tokensync", VolumeSource: corev1.VolumeSource{
				EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory},
			}})
			pod.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "tokensync", MountPath: defaultPath}}
			pod.Spec.Containers[1].VolumeMounts = []corev1.VolumeMount{{Name: "cache", MountPath: defaultPath}}
		}), "the container log has something mounted at or below "+defaultPath),
		Entry("that volume below the path", with(func(pod *corev1.Pod) {
			pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: "tokensync", VolumeSource: corev1.VolumeSource{
				EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory},
			}})
			pod.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "tokensync", MountPath: defaultPath + "/a"}}
		}), "has something mounted at or below "+defaultPath),
		Entry("the volume for the API server", with(func(pod *corev1.Pod) {
			pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: "tokensync-api"})
		}), "has a volume tokensync-api"),
		Entry("a container of the sidecar's name", with(func(pod *corev1.Pod) { pod.Spec.Containers[1].Name = "tokensync" }),
			"has a container tokensync that is not the sidecar"),
		Entry("an init container of that name", with(func(pod *corev1.Pod) { pod.Spec.InitContainers[0].Name = "tokensync" }),
			"has a container tokensync that is not the sidecar"),
	)

	It("is refused with the sidecar of another Secret", func(ctx SpecContext) {
		pod := copyOf(create(ctx, asking(app())))
		_, err := judged(ctx, annotated(pod, injectSecret, "orders-token"))
		Expect(err).To(MatchError(ContainSubstring("not the sidecar of the Secret")))
	})
})

package e2e_test

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/util/cert"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/e2e/app/report"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	providerPort = 8443
	// certificateFolder and clientFolder are where the provider's pod has its certificate,
	// and the Secret of the client that it knows.
	certificateFolder = "/etc/provider"
	clientFolder      = "/etc/client"
	// authority is the ConfigMap with the CA of the provider, and its only key.
	authority    = "provider-ca"
	authorityKey = "ca.crt"
)

// provider is a stand-in of an authorization server and of the service behind it, as a pod
// with a Service.
type provider struct{ namespace, name string }

// startProvider starts one that knows the client of a Secret, with further arguments for
// the app, and waits until it serves.
func startProvider(ctx context.Context, namespace string, client v1alpha1.SecretKeyReference, arguments ...string) *provider {
	GinkgoHelper()
	p := &provider{namespace: namespace, name: "provider"}
	pod := p.newPod(append(arguments, "--client-secret-file="+clientFolder+"/"+client.Key)...)
	pod.Spec.AutomountServiceAccountToken = new(false)
	mountSecret(&pod.Spec, client.Name, clientFolder)
	p.start(ctx, pod)
	return p
}

// newPod is the pod of the provider, with its certificate.
func (p *provider) newPod(arguments ...string) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: p.name, Labels: map[string]string{"app": p.name}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name:  p.name,
			Image: image("tokensync-e2e-app"),
			Args: append([]string{
				"provider", "--cert=" + certificateFolder + "/tls.crt", "--key=" + certificateFolder + "/tls.key",
			}, arguments...),
			ReadinessProbe: probe("/healthz"),
		}}},
	}
	mountSecret(&pod.Spec, p.name, certificateFolder)
	restrict(&pod.Spec)
	return pod
}

// start makes the pod, its certificate and its Service, and waits until it serves.
func (p *provider) start(ctx context.Context, pod *corev1.Pod) {
	GinkgoHelper()
	p.certify(ctx)
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: p.name},
		Spec:       corev1.ServiceSpec{Selector: pod.Labels, Ports: []corev1.ServicePort{{Port: providerPort}}},
	}
	create(ctx, p.namespace, service, pod)
	awaitPod(ctx, p.namespace, p.name)
}

// certify makes a CA and a certificate of it for the host of the provider: the Secret is for
// the provider, and the ConfigMap for who calls it.
func (p *provider) certify(ctx context.Context) {
	GinkgoHelper()
	chain, key, err := cert.GenerateSelfSignedCertKey(p.host(), nil, nil)
	Expect(err).NotTo(HaveOccurred())
	certificates, err := cert.ParseCertsPEM(chain)
	Expect(err).NotTo(HaveOccurred())
	ca, err := cert.EncodeCertificates(certificates[len(certificates)-1])
	Expect(err).NotTo(HaveOccurred())
	create(ctx, p.namespace,
		&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: p.name},
			Type:       corev1.SecretTypeTLS,
			Data:       map[string][]byte{corev1.TLSCertKey: chain, corev1.TLSPrivateKeyKey: key},
		},
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: authority}, Data: map[string]string{authorityKey: string(ca)}},
	)
}

func (p *provider) host() string { return p.name + "." + p.namespace + ".svc" }

// url is that of the provider, without a path.
func (p *provider) url() string { return fmt.Sprintf("https://%s:%d", p.host(), providerPort) }

// endpoint is a token endpoint of the provider, for credentials whose namespace has its CA.
func (p *provider) endpoint(path string) *v1alpha1.Endpoint {
	return &v1alpha1.Endpoint{
		TokenURL: v1alpha1.EndpointURL(p.url() + path),
		TLS:      &v1alpha1.TLS{CARef: &v1alpha1.CAReference{Kind: v1alpha1.KindConfigMap, Name: authority, Key: authorityKey}},
	}
}

// counts are what the provider was asked for.
func (p *provider) counts(ctx context.Context) report.Provider {
	GinkgoHelper()
	var counts report.Provider
	Expect(ask(ctx, p.namespace, p.name, "/counts", &counts)).To(Succeed())
	return counts
}

// probe asks a path of the control port each second.
func probe(path string) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler:   corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.Parse(controlPort)}},
		PeriodSeconds:  1,
		TimeoutSeconds: 5,
	}
}

// mountSecret mounts a Secret in the first container of a pod.
func mountSecret(spec *corev1.PodSpec, secret, folder string) {
	spec.Volumes = append(spec.Volumes, corev1.Volume{Name: secret, VolumeSource: corev1.VolumeSource{
		Secret: &corev1.SecretVolumeSource{SecretName: secret},
	}})
	app := &spec.Containers[0]
	app.VolumeMounts = append(app.VolumeMounts, corev1.VolumeMount{Name: secret, MountPath: folder, ReadOnly: true})
}

// restrict lets a pod satisfy the Pod Security Standard restricted, with root file systems
// that are read-only. What it says of that itself stays.
func restrict(spec *corev1.PodSpec) {
	if spec.SecurityContext == nil {
		spec.SecurityContext = &corev1.PodSecurityContext{
			RunAsNonRoot:   new(true),
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		}
	}
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			if containers[i].SecurityContext == nil {
				containers[i].SecurityContext = &corev1.SecurityContext{
					AllowPrivilegeEscalation: new(false),
					ReadOnlyRootFilesystem:   new(true),
					Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				}
			}
		}
	}
}

package kubeapi

import (
	"fmt"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
)

// Core is a client of the core API: of Secrets and the like. It shares the connections
// of the HTTP client, which is to be made for the same configuration
// (rest.HTTPClientFor), and has its own limit of requests per second, as the
// configuration sets it.
func Core(config *rest.Config, connections *http.Client) (rest.Interface, error) {
	return Of(config, connections, corev1.SchemeGroupVersion, corev1.AddToScheme)
}

// Of is like Core a client of one API group in one version, whose types register adds
// to a scheme.
func Of(config *rest.Config, connections *http.Client, group schema.GroupVersion, register func(*runtime.Scheme) error) (rest.Interface, error) {
	scheme := runtime.NewScheme()
	if err := register(scheme); err != nil {
		return nil, fmt.Errorf("register the types of %s: %w", group, err)
	}
	config = rest.CopyConfig(config)
	config.APIPath = "/apis"
	if group.Group == "" {
		config.APIPath = "/api"
	}
	config.GroupVersion = &group
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	// Requests are JSON, as what is applied has to be. Answers are larger, and protobuf is
	// read faster.
	config.ContentType = runtime.ContentTypeJSON
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	client, err := rest.RESTClientForConfigAndClient(config, connections)
	if err != nil {
		return nil, fmt.Errorf("make a client of %s: %w", group, err)
	}
	return client, nil
}

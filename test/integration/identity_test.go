package integration_test

import (
	"context"
	"path/filepath"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	// operatorAccount is the ServiceAccount that the operator runs as.
	operatorAccount = "tokensync-operator"
	// internalAudience is an audience of the operator's own token, beside that of the
	// API server.
	internalAudience = "https://internal.example.com"
)

// operatorIdentity makes a ServiceAccount that may do everything, and answers a
// kubeconfig with a token of it: the operator is to know whose token it has. What
// rights it needs is not looked at here.
func operatorIdentity(ctx context.Context) string {
	GinkgoHelper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: operatorNamespace, Name: operatorAccount}}
	Expect(controlPlane.Client.Create(ctx, account)).To(Succeed())
	Expect(controlPlane.Client.Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: operatorNamespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: operatorNamespace, Name: operatorAccount}},
	})).To(Succeed())

	config := api.NewConfig()
	config.Clusters["suite"] = &api.Cluster{Server: controlPlane.Config.Host, CertificateAuthorityData: controlPlane.Config.CAData}
	config.AuthInfos["operator"] = &api.AuthInfo{Token: accountToken(ctx, account, clusterAudience(ctx), internalAudience)}
	config.Contexts["suite"] = &api.Context{Cluster: "suite", AuthInfo: "operator"}
	config.CurrentContext = "suite"
	path := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(clientcmd.WriteToFile(*config, path)).To(Succeed())
	return path
}

// accountToken is a token of a ServiceAccount that outlives the suite.
func accountToken(ctx context.Context, account *corev1.ServiceAccount, audiences ...string) string {
	GinkgoHelper()
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{Audiences: audiences, ExpirationSeconds: new(int64(86400))}}
	Expect(controlPlane.Client.SubResource("token").Create(ctx, account, request)).To(Succeed())
	return request.Status.Token
}

// clusterAudience is that of the API server, which is also the issuer of its tokens.
func clusterAudience(ctx context.Context) string {
	GinkgoHelper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: operatorNamespace, GenerateName: "probe-"}}
	Expect(controlPlane.Client.Create(ctx, account)).To(Succeed())
	request := &authenticationv1.TokenRequest{}
	Expect(controlPlane.Client.SubResource("token").Create(ctx, account, request, &client.SubResourceCreateOptions{})).To(Succeed())
	Expect(request.Spec.Audiences).To(HaveLen(1))
	return request.Spec.Audiences[0]
}

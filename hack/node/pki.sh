#!/usr/bin/env bash
# Makes the certificates of a node, good for a day, and a kubeconfig for each of its
# parts and for the administrator.
set -euo pipefail

source "$(dirname "$0")/paths.sh"
umask 077
mkdir -p "$pki"
cd "$pki"

key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key"; }

certificate() { # file $1, subject $2, usage $3, alternative names $4
	key "$1"
	{
		printf '%s\n' basicConstraints=CA:FALSE keyUsage=digitalSignature "extendedKeyUsage=$3"
		[[ -z ${4:-} ]] || echo "subjectAltName=$4"
	} >"$1.ext"
	openssl req -new -key "$1.key" -subj "$2" |
		openssl x509 -req -CA ca.crt -CAkey ca.key -CAcreateserial -days 1 -extfile "$1.ext" -out "$1.crt" 2>/dev/null
}

kubeconfig() { # file $1, of the certificate of the same name
	cat >"$state/$1.kubeconfig" <<-EOF
		apiVersion: v1
		kind: Config
		clusters:
		- name: node
		  cluster: {server: "https://$address:6443", certificate-authority-data: $(base64 -w0 ca.crt)}
		users:
		- name: $1
		  user: {client-certificate-data: $(base64 -w0 "$1.crt"), client-key-data: $(base64 -w0 "$1.key")}
		contexts:
		- name: node
		  context: {cluster: node, user: $1}
		current-context: node
	EOF
}

key ca
openssl req -x509 -new -key ca.key -subj /CN=node-ca -days 1 -out ca.crt
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out service-accounts.key
openssl pkey -in service-accounts.key -pubout -out service-accounts.pub

services=DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local
certificate apiserver /CN=kube-apiserver serverAuth "$services,IP:10.96.0.1,IP:127.0.0.1,IP:$address"
certificate kubelet-server "/CN=$node" serverAuth "DNS:$node,IP:$address"
certificate apiserver-kubelet-client /O=system:masters/CN=apiserver-kubelet-client clientAuth
certificate front-proxy-client /CN=front-proxy-client clientAuth

certificate admin /O=system:masters/CN=admin clientAuth
certificate kube-controller-manager /CN=system:kube-controller-manager clientAuth
certificate kube-scheduler /CN=system:kube-scheduler clientAuth
certificate kube-proxy /CN=system:kube-proxy clientAuth
certificate kubelet "/O=system:nodes/CN=system:node:$node" clientAuth
certificate coredns /O=system:masters/CN=coredns clientAuth
for name in admin kube-controller-manager kube-scheduler kube-proxy kubelet coredns; do
	kubeconfig "$name"
done

{{- /* The name of the chart in names and labels. */}}
{{- define "tokensync.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* The prefix of all names. The longest suffix of those that may not exceed 63 is
"-operator-metrics"; names of roles may be longer. */}}
{{- define "tokensync.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 38 | trimSuffix "-" }}
{{- else }}
{{- $name := include "tokensync.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 38 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 38 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "tokensync.operator" -}}
{{- include "tokensync.fullname" . }}-operator
{{- end }}

{{- define "tokensync.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "tokensync.operator" .) }}
{{- end }}

{{- define "tokensync.labels" -}}
app.kubernetes.io/name: {{ include "tokensync.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
{{- end }}

{{- /* What selects the operator's pods. It may never change: a Deployment's selector cannot. */}}
{{- define "tokensync.selector" -}}
app.kubernetes.io/name: {{ include "tokensync.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "tokensync.operatorLabels" -}}
{{ include "tokensync.labels" . }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "tokensync.image" -}}
{{- .Values.image.repository }}:{{ .Values.image.tag | default (printf "v%s" .Chart.AppVersion) }}
{{- with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{- define "tokensync.sidecarImage" -}}
{{- .Values.sidecar.image.repository }}:{{ .Values.sidecar.image.tag | default (printf "v%s" .Chart.AppVersion) }}
{{- with .Values.sidecar.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{- /* Quantities as strings, also those that were written as numbers. */}}
{{- define "tokensync.quantities" -}}
{{- $quantities := dict }}
{{- range $resource, $quantity := . }}
{{- $_ := set $quantities $resource (toString $quantity) }}
{{- end }}
{{- toYaml $quantities }}
{{- end }}

{{- define "tokensync.healthPort" -}}
8081
{{- end }}

{{- /* What a container may do, as the Pod Security Standard "restricted" has it, and less. */}}
{{- define "tokensync.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop:
  - ALL
{{- end }}

{{- define "tokensync.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- /* The rules of a role in files/, which come from config/rbac. */}}
{{- define "tokensync.rules" -}}
{{- toYaml (get (fromYaml (.root.Files.Get (printf "files/%s.yaml" .role))) "rules" | required (printf "no rules in files/%s.yaml" .role)) }}
{{- end }}

{{- define "tokensync.subjects" -}}
- kind: ServiceAccount
  name: {{ include "tokensync.serviceAccount" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{- /* A role of files/ that the operator gets: everywhere, or in the watched namespaces
only. Its name is that of the operator and the given suffix. */}}
{{- define "tokensync.grant" -}}
{{- $name := printf "%s%s" (include "tokensync.operator" .root) .suffix }}
{{- $labels := include "tokensync.operatorLabels" .root }}
{{- $rules := include "tokensync.rules" . }}
{{- $subjects := include "tokensync.subjects" .root }}
{{- $cluster := empty .root.Values.watchNamespaces }}
{{- range .root.Values.watchNamespaces | default (list "") }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ ternary "ClusterRole" "Role" $cluster }}
metadata:
  name: {{ $name }}
  {{- if not $cluster }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- $labels | nindent 4 }}
rules:
{{ $rules }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ ternary "ClusterRoleBinding" "RoleBinding" $cluster }}
metadata:
  name: {{ $name }}
  {{- if not $cluster }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- $labels | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ ternary "ClusterRole" "Role" $cluster }}
  name: {{ $name }}
subjects:
{{ $subjects }}
{{- end }}
{{- end }}

{{- /* What the injection of the sidecar needs. */}}
{{- define "tokensync.validateInjection" -}}
{{- if semverCompare "<1.36.0-0" .Capabilities.KubeVersion.Version }}
{{- fail (printf "sidecar.injection.enabled is true, and the cluster has Kubernetes %s: the injection is a MutatingAdmissionPolicy, which takes 1.36 or newer. Turn it off and write the sidecar into your pods, or mount the Secret." .Capabilities.KubeVersion.Version) }}
{{- end }}
{{- if .Values.watchNamespaces }}
{{- fail "sidecar.injection.enabled is true and watchNamespaces is set: admission policies are objects of the cluster, of which such a release makes none. Have somebody who may install config/injection." }}
{{- end }}
{{- end }}

{{- /* Values that are each well formed and make no sense together. */}}
{{- define "tokensync.validate" -}}
{{- if and (gt (int .Values.replicaCount) 1) (not .Values.leaderElection.enabled) }}
{{- fail "replicaCount is above 1 and leaderElection.enabled is false: every pod would ask for every token. Turn the election on, or run one replica." }}
{{- end }}
{{- if and (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) }}
{{- fail "serviceAccount.create is false and serviceAccount.name is empty: name the ServiceAccount that may read the Secrets. It is not to be \"default\", which other pods run as." }}
{{- end }}
{{- if and .Values.metrics.serviceMonitor.enabled (not .Values.metrics.enabled) }}
{{- fail "metrics.serviceMonitor.enabled is true and metrics.enabled is false: there would be nothing to scrape." }}
{{- end }}
{{- if and .Values.metrics.prometheusRule.enabled (not .Values.metrics.enabled) }}
{{- fail "metrics.prometheusRule.enabled is true and metrics.enabled is false: without metrics the only alert would be that the operator is down, and it would never end. Turn metrics.enabled on." }}
{{- end }}
{{- if and .Values.metrics.dashboard.enabled (not .Values.metrics.enabled) }}
{{- fail "metrics.dashboard.enabled is true and metrics.enabled is false: there would be nothing to show." }}
{{- end }}
{{- if and .Values.catalog.enabled .Values.watchNamespaces }}
{{- fail "catalog.enabled is true and watchNamespaces is set: the catalog is of ClusterOAuthProviders, which an operator for some namespaces only does not serve. Leave the catalog out, and copy what you need of it into an OAuthProvider." }}
{{- end }}
{{- if eq (int .Values.metrics.port) (int (include "tokensync.healthPort" .)) }}
{{- fail (printf "metrics.port is %s, where the operator serves its health." (include "tokensync.healthPort" .)) }}
{{- end }}
{{- if .Values.podDisruptionBudget.enabled }}
{{- $min := toString .Values.podDisruptionBudget.minAvailable }}
{{- $max := toString .Values.podDisruptionBudget.maxUnavailable }}
{{- if and $min $max }}
{{- fail "podDisruptionBudget has both minAvailable and maxUnavailable: Kubernetes takes one. Leave the other empty." }}
{{- end }}
{{- if or (eq $min "100%") (eq $max "0") (eq $max "0%") (and (regexMatch "^[0-9]+$" $min) (ge (int $min) (int .Values.replicaCount))) }}
{{- fail "podDisruptionBudget lets no pod go, so that no node with one could ever be drained. Raise replicaCount, or let one go." }}
{{- end }}
{{- end }}
{{- end }}

{{- define "maskwatch.labels" -}}
app.kubernetes.io/name: maskwatch
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* What a role's pods are found by. Takes root and role. */}}
{{- define "maskwatch.selector" -}}
app.kubernetes.io/name: maskwatch
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{/* A name for what belongs to a role. Takes root and role. */}}
{{- define "maskwatch.name" -}}
{{- printf "%s-%s" .root.Release.Name .role | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "maskwatch.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
# Volumes belong to this group, whoever made them.
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "maskwatch.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "maskwatch.redisUrl" -}}
{{- if not .Values.redis.enabled -}}
{{- .Values.redisUrl -}}
{{- else if .Values.redis.tlsSecret -}}
rediss://{{ .Release.Name }}-redis:6379/0
{{- else -}}
redis://{{ .Release.Name }}-redis:6379/0
{{- end -}}
{{- end }}

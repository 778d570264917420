{{/*
A role's Deployment. Takes:
  root, role     the chart's values, and the name under which they are found
  image          of which the container is made: ingest, worker, worker-gpu, dashboard
  command        what the container runs; none: what its image runs
  check          the role that deploy/healthcheck.py looks for
  key            whether the role opens passwords, so that it needs the secret key
  env            more variables; they win over the settings
  mounts, volumes, ports, affinity   more of each
  strategy       how one version takes over from another
*/}}
{{- define "maskwatch.workload" -}}
{{- $values := index .root.Values .role -}}
{{- $name := include "maskwatch.name" (dict "root" .root "role" (kebabcase .role)) -}}
{{- $selector := include "maskwatch.selector" (dict "root" .root "role" (kebabcase .role)) -}}
{{- $secrets := .root.Values.secrets -}}
{{- $ca := ternary .root.Values.redis.tlsSecret $secrets.redisCa .root.Values.redis.enabled -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  labels:
    {{- include "maskwatch.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ kebabcase .role }}
spec:
  {{- if not .scaled }}
  replicas: {{ $values.replicas }}
  {{- end }}
  revisionHistoryLimit: 3
  strategy: {{- toYaml .strategy | nindent 4 }}
  selector:
    matchLabels: {{- $selector | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "maskwatch.labels" .root | nindent 8 }}
        app.kubernetes.io/component: {{ kebabcase .role }}
      annotations:
        # Changed settings start the pods anew.
        checksum/settings: {{ .root.Values.settings | toJson | sha256sum }}
        {{- with $values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ .root.Release.Name }}-maskwatch
      automountServiceAccountToken: false
      # Kubernetes would name other services in MASKWATCH_* variables, which are no settings.
      enableServiceLinks: false
      # Whatever hangs, a process ends within two seconds of SIGTERM; a worker after its batch.
      terminationGracePeriodSeconds: 15
      securityContext: {{- include "maskwatch.podSecurity" . | nindent 8 }}
      {{- with .root.Values.image.pullSecrets }}
      imagePullSecrets:
        {{- range . }}
        - name: {{ . }}
        {{- end }}
      {{- end }}
      {{- with $values.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- with $values.runtimeClassName }}
      runtimeClassName: {{ . }}
      {{- end }}
      {{- with $values.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .affinity }}
      affinity: {{- toYaml . | nindent 8 }}
      {{- end }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: {{- $selector | nindent 14 }}
      containers:
        - name: {{ kebabcase .role }}
          image: "{{ .root.Values.image.registry }}/maskwatch-{{ .image }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}"
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          {{- with .command }}
          command: {{- toYaml . | nindent 12 }}
          {{- end }}
          envFrom:
            - configMapRef: {name: {{ .root.Release.Name }}-settings}
          env:
            - {name: MASKWATCH_REDIS_URL, value: {{ include "maskwatch.redisUrl" .root | quote }}}
            - {name: MASKWATCH_REDIS_USER, value: {{ .root.Values.redisUser | default .check }}}
            - {name: MASKWATCH_REDIS_PASSWORD_FILE, value: /run/maskwatch/redis/password}
            {{- if $ca }}
            - {name: MASKWATCH_REDIS_CA_FILE, value: /run/maskwatch/redis-ca/ca.crt}
            {{- end }}
            {{- if .key }}
            - {name: MASKWATCH_SECRET_KEY_FILE, value: /run/maskwatch/keys/secret.key}
            {{- end }}
            {{- range $variable, $value := .env }}
            - {name: {{ $variable }}, value: {{ $value | quote }}}
            {{- end }}
          {{- with .ports }}
          ports: {{- toYaml . | nindent 12 }}
          {{- end }}
          startupProbe:
            exec: {command: [python, /app/deploy/healthcheck.py, {{ .check }}, --alive]}
            periodSeconds: 5
            timeoutSeconds: 15
            failureThreshold: 36
          # Not well while Redis is away, and not killed for it: that would mend nothing.
          readinessProbe:
            exec: {command: [python, /app/deploy/healthcheck.py, {{ .check }}]}
            periodSeconds: 15
            timeoutSeconds: 15
            failureThreshold: 3
          livenessProbe:
            exec: {command: [python, /app/deploy/healthcheck.py, {{ .check }}, --alive]}
            periodSeconds: 30
            timeoutSeconds: 15
            failureThreshold: 4
          resources: {{- toYaml $values.resources | nindent 12 }}
          securityContext: {{- include "maskwatch.containerSecurity" . | nindent 12 }}
          volumeMounts:
            - {name: tmp, mountPath: /tmp}
            {{- if .key }}
            - {name: keys, mountPath: /run/maskwatch/keys, readOnly: true}
            {{- end }}
            - {name: redis, mountPath: /run/maskwatch/redis, readOnly: true}
            {{- if $ca }}
            - {name: redis-ca, mountPath: /run/maskwatch/redis-ca, readOnly: true}
            {{- end }}
            {{- with .mounts }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
      volumes:
        - name: tmp
          emptyDir: {sizeLimit: 256Mi}
        {{- if .key }}
        - name: keys
          secret:
            secretName: {{ $secrets.keys }}
            defaultMode: 0440
            items:
              - {key: secret.key, path: secret.key}
              {{- if eq .role "dashboard" }}
              - {key: metrics.key, path: metrics.key}
              {{- end }}
        {{- end }}
        - name: redis
          secret:
            secretName: {{ $secrets.redis }}
            defaultMode: 0440
            items: [{key: {{ printf "redis-%s.password" .check }}, path: password}]
        {{- with $ca }}
        - name: redis-ca
          secret:
            secretName: {{ . }}
            defaultMode: 0440
            items: [{key: ca.crt, path: ca.crt}]
        {{- end }}
        {{- with .volumes }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
{{- end }}

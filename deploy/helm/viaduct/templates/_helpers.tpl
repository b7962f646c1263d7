{{/* What the two kinds of pods have in common. Takes a dict of root, component, config, args, startup, resources, env and account. */}}
{{- define "viaduct.labels" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "viaduct.name" -}}
{{ printf "%s-%s" (.root.Release.Name | trunc 50 | trimSuffix "-") .component }}
{{- end }}

{{- define "viaduct.pod" -}}
metadata:
  labels:
    {{- include "viaduct.labels" . | nindent 4 }}
  annotations:
    checksum/config: {{ .config | sha256sum }}
spec:
  terminationGracePeriodSeconds: {{ add .root.Values.preStopSeconds .root.Values.gracefulSeconds 10 }}
  {{- if .account }}
  serviceAccountName: {{ .account }}
  {{- else }}
  automountServiceAccountToken: false
  {{- end }}
  {{- with .root.Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .root.Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .root.Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    seccompProfile:
      type: RuntimeDefault
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "viaduct.labels" . | nindent 10 }}
  containers:
    - name: {{ .component }}
      image: {{ printf "%s:%s" .root.Values.image.repository .root.Values.image.tag | quote }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args:
        {{- toYaml .args | nindent 8 }}
      {{- with .env }}
      env:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - name: http
          containerPort: 8000
      {{- with .startup }}
      startupProbe:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      readinessProbe:
        httpGet:
          path: /-/ready
          port: http
        periodSeconds: 2
      livenessProbe:
        httpGet:
          path: /-/live
          port: http
        periodSeconds: 10
        failureThreshold: 6
      lifecycle:
        preStop:
          exec:
            command: ["sleep", {{ .root.Values.preStopSeconds | quote }}]
      resources:
        {{- toYaml .resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: ["ALL"]
      volumeMounts:
        - name: config
          mountPath: /etc/viaduct
          readOnly: true
        - name: tmp
          mountPath: /tmp
  volumes:
    - name: config
      configMap:
        name: {{ include "viaduct.name" . }}
    - name: tmp
      emptyDir: {}
{{- end }}

{{/* Scales the pods between a minimum and a maximum. Takes a dict of root, component and values. */}}
{{- define "viaduct.autoscaler" -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ include "viaduct.name" . }}
  labels:
    {{- include "viaduct.labels" . | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "viaduct.name" . }}
  minReplicas: {{ .values.replicas }}
  maxReplicas: {{ max .values.replicas .values.autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ .values.autoscaling.cpuPercent }}
{{- end }}

{{- define "trackgate.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "trackgate.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "trackgate.labels" -}}
{{ include "trackgate.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- /* Stops where the settings are no YAML, or the Service leads to a port that no listener has. */ -}}
{{- define "trackgate.look" -}}
{{- $settings := fromYaml .Values.config -}}
{{- with $settings.Error }}{{ fail (printf "config: %s" .) }}{{ end -}}
{{- $listening := list -}}
{{- range $settings.listeners }}{{ $listening = append $listening (regexFind "[0-9]+$" (toString .address)) }}{{ end -}}
{{- range .Values.service.ports -}}
{{- if not (has (toString .targetPort) $listening) -}}
{{- fail (printf "service.ports: %s leads to port %v, where no listener of config is (%s)" .name .targetPort (join ", " $listening)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

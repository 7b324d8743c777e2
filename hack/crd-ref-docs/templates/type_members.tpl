{{- define "type_members" -}}
{{- $field := . -}}
{{- if eq $field.Name "metadata" -}}
As of every Kubernetes object.
{{- else -}}
{{ $field.Doc | replace "\n" " " | markdownRenderFieldDoc }}
{{- $limits := list -}}
{{- range $field.Validation -}}
{{- if not (regexMatch "^(Required|Optional|Type|Enum):" .) }}{{ $limits = append $limits . }}{{ end -}}
{{- end -}}
{{- with $limits }}<br />{{ join ", " . | markdownRenderFieldDoc }}{{ end -}}
{{- range index $field.Markers "kubebuilder:validation:XValidation" }}<br />Refused: _{{ .Message | markdownRenderFieldDoc }}_{{ end -}}
{{- end -}}
{{- end -}}

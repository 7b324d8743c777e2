{{- define "gvDetails" -}}
{{- $gv := . -}}
`apiVersion: {{ $gv.GroupVersionString }}`

{{ regexReplaceAll "^Package \\w+ holds t" (trim $gv.Doc) "T" }}

| Kind | Scope | Short names | What it is |
| --- | --- | --- | --- |
{{- range $gv.SortedKinds }}
{{- $type := $gv.TypeForKind . }}
{{- $scope := "Namespaced" }}
{{- $short := list }}
{{- range index $type.Markers "kubebuilder:resource" }}
{{- if .Scope }}{{ $scope = .Scope }}{{ end }}
{{- $short = .ShortName }}
{{- end }}
| [{{ . }}](#{{ lower . }}) | {{ $scope }} | {{ range $i, $name := $short }}{{ if $i }}, {{ end }}`{{ $name }}`{{ end }} | {{ $type.Doc | replace "\n" " " }} |
{{- end }}

## Kinds
{{ range $gv.SortedKinds }}
{{ template "type" ($gv.TypeForKind .) }}
{{- end }}
## Types they are made of
{{ range $gv.SortedTypes }}
{{- if not .GVK }}
{{ template "type" . }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "type" -}}
{{- $type := . -}}
{{- if markdownShouldRenderType $type -}}
### {{ $type.Name }}

{{ $type.Doc }}
{{ if $type.IsAlias }}
It is a {{ markdownRenderTypeLink $type.UnderlyingType }}.
{{ end }}
{{- if and $type.References (not $type.GVK) }}
Used in {{ range $i, $user := $type.SortedReferences }}{{ if $i }}, {{ end }}{{ markdownRenderTypeLink $user }}{{ end }}.
{{ end }}
{{- if $type.GVK }}{{ template "rules" $type.Markers }}{{ end }}
{{- if $type.Members }}
| Field | Meaning |
| --- | --- |
{{- range $type.Members }}
| {{ template "field" . }} | {{ template "type_members" . }} |
{{- end }}
{{ end }}
{{- if $type.EnumValues }}
| Value | Meaning |
| --- | --- |
{{- range $type.EnumValues }}
| `{{ .Name }}` | {{ regexReplaceAll "^\\w+:? " (.Doc | replace "\n" " " | trim) "" | markdownRenderFieldDoc }} |
{{- end }}
{{ end }}
{{- end -}}
{{- end -}}

{{- /*
What CEL checks about a kind as a whole, in the words that the API server answers with. The rules of other types are shown
with the fields that use them.
*/ -}}
{{- define "rules" -}}
{{- with index . "kubebuilder:validation:XValidation" }}
Refused:
{{ range . }}
- _{{ .Message }}_
{{- end }}
{{ end -}}
{{- end -}}

{{- define "field" -}}
`{{ .Name }}`<br />{{ markdownRenderType .Type }}
{{- if index .Markers "required" }}<br />required{{ end -}}
{{- end -}}

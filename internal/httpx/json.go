// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package httpx

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime"
	"reflect"
)

// maxDepth bounds the nesting of JSON that DecodeJSON reads. Deep threads of
// replies need some tens; encoding/json alone would go to 10,000.
const maxDepth = 128

// DecodeJSON reads the whole body of resp as one JSON value into the value that
// into points to. Fields that into does not know are skipped, because platforms
// add fields at will. Everything else is strict: HTML, an empty body, half a
// value, data after the value, nesting over 128 and a null where a struct is
// wanted are errors of KindNotJSON. No error repeats anything of the body.
func DecodeJSON(resp *Response, into any) error {
	if problem := describeBody(resp, into); problem != "" {
		return notJSON(resp, problem)
	}
	err := json.Unmarshal(resp.Body, into)
	if err == nil {
		return nil
	}
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		// Field holds names of our struct, never keys of the body.
		where := "the value"
		if mismatch.Field != "" {
			where = "the field " + mismatch.Field
		}
		return notJSON(resp, "answered JSON in which "+where+" has another type than the API documents")
	}
	return notJSON(resp, "answered something that is not valid JSON")
}

// describeBody names what is wrong with a body before its values are looked at;
// empty where nothing is.
func describeBody(resp *Response, into any) string {
	body := bytes.TrimSpace(resp.Body)
	switch {
	case isHTML(resp, body):
		return "answered HTML, not JSON (is the server URL right?)"
	case len(body) == 0:
		return "answered an empty body, not JSON"
	case bytes.Equal(body, []byte("null")) && wantsStruct(into):
		return "answered null where an object was expected"
	}
	depth, complete := Nesting(body)
	switch {
	case depth > maxDepth:
		return "answered JSON that is nested too deeply"
	case !complete:
		return "answered JSON that is cut short"
	}
	return ""
}

func isHTML(resp *Response, body []byte) bool {
	mediaType, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err == nil && (mediaType == "text/html" || mediaType == "application/xhtml+xml") {
		return true
	}
	return bytes.HasPrefix(body, []byte("<"))
}

func wantsStruct(into any) bool {
	t := reflect.TypeOf(into)
	return t != nil && t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct
}

// Nesting gives the deepest nesting of JSON, and whether every string, array and
// object that is opened is also closed, without building anything. It is no
// validation: json.Unmarshal does that.
func Nesting(body []byte) (deepest int, complete bool) {
	depth := 0
	inString, escaped := false, false
	for _, c := range body {
		switch {
		case escaped:
			escaped = false
		case inString:
			escaped = c == '\\'
			inString = c != '"'
		case c == '"':
			inString = true
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest, depth <= 0 && !inString
}

func notJSON(resp *Response, detail string) error {
	return &Error{Kind: KindNotJSON, Origin: resp.origin, MaybeSent: true, detail: detail}
}

// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package httpx_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/httpx"
)

type account struct {
	ID    string `json:"id"`
	Count int    `json:"count"`
	Owner struct {
		Name string `json:"name"`
	} `json:"owner"`
}

func answer(contentType, body string) *httpx.Response {
	return &httpx.Response{Status: http.StatusOK, Header: http.Header{"Content-Type": {contentType}}, Body: []byte(body)}
}

var _ = Describe("DecodeJSON", func() {
	DescribeTable("reads JSON",
		func(contentType, body string) {
			var got account
			Expect(httpx.DecodeJSON(answer(contentType, body), &got)).To(Succeed())
			Expect(got.ID).To(Equal("1"))
		},
		Entry("plain", "application/json", `{"id":"1"}`),
		Entry("with unknown fields", "application/json; charset=utf-8", `{"new":[1,{"x":null}],"id":"1"}`),
		Entry("with space around", "application/json", " \n{\"id\":\"1\"}\r\n"),
		Entry("as another type", "text/javascript", `{"id":"1"}`),
		Entry("without a type", "", `{"id":"1"}`),
		Entry("with brackets in strings", "application/json", `{"bio":"[[{{ \" \\","id":"1"}`),
		Entry("nested, within the bound", "application/json", `{"id":"1","x":`+strings.Repeat("[", 127)+strings.Repeat("]", 127)+`}`),
	)

	It("takes null for an empty list", func() {
		var got []account
		Expect(httpx.DecodeJSON(answer("application/json", "null"), &got)).To(Succeed())
		Expect(got).To(BeEmpty())
	})

	DescribeTable("refuses the rest in words, without repeating it",
		func(contentType, body, wanted string) {
			var got account
			err := httpx.DecodeJSON(answer(contentType, body), &got)
			Expect(err).To(haveKind(httpx.KindNotJSON))
			Expect(err).To(MatchError(ContainSubstring(wanted)))
			Expect(err.Error()).NotTo(ContainSubstring("secret"))
			Expect(err.Error()).NotTo(ContainSubstring("4711"))
		},
		Entry("HTML by type", "text/html; charset=utf-8", `{"id":"secret"}`, "answered HTML, not JSON (is the server URL right?)"),
		Entry("HTML by look", "application/json", "\n<!doctype html>secret", "answered HTML"),
		Entry("nothing", "application/json", " \n", "empty body"),
		Entry("null", "application/json", " null ", "answered null"),
		Entry("half an object", "application/json", `{"id":"secret",`, "cut short"),
		Entry("half a string", "application/json", `{"id":"secret`, "cut short"),
		Entry("half an escape", "application/json", `{"id":"secret\`, "cut short"),
		Entry("data after the value", "application/json", `{"id":"1"} {"id":"secret"}`, "not valid JSON"),
		Entry("a bracket too many", "application/json", `{"id":"1"}}`, "not valid JSON"),
		Entry("words", "text/plain", `secret`, "not valid JSON"),
		Entry("too deep", "application/json", `{"x":`+strings.Repeat("[", 128)+strings.Repeat("]", 128)+`}`, "nested too deeply"),
		Entry("far too deep", "application/json", strings.Repeat(`{"secret":`, 100_000), "nested too deeply"),
		Entry("another type", "application/json", `["secret"]`, "the value has another type"),
		Entry("another type in a field", "application/json", `{"count":"secret"}`, "the field count has another type"),
		Entry("a number out of range", "application/json", `{"count":4711e99}`, "the field count has another type"),
		Entry("another type further in", "application/json", `{"owner":{"name":4711}}`, "the field owner.name has another type"),
	)

	It("names the server", func() {
		server := serve(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") })
		resp, err := get(newClient(), server.URL)
		Expect(err).NotTo(HaveOccurred())
		Expect(httpx.DecodeJSON(resp, &account{})).To(MatchError(server.URL + ": answered HTML, not JSON (is the server URL right?)"))
	})
})

func FuzzDecodeJSON(f *testing.F) {
	for _, seed := range []string{`{"id":"1"}`, `[]`, `null`, `"\ud800"`, `{"a":[{"b":"]"}]}`, `{"id":`, `<html>`, ``, `1 2`, `"\"`, strings.Repeat("[", 200)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		resp := &httpx.Response{Status: http.StatusOK, Body: body}
		var got, wanted any
		err := httpx.DecodeJSON(resp, &got)
		if reference := json.Unmarshal(body, &wanted); err == nil && reference != nil {
			t.Fatalf("%q was read although it is not JSON: %v", body, reference)
		} else if err != nil && reference == nil && !strings.Contains(err.Error(), "too deeply") {
			t.Fatalf("%q is JSON and was refused: %v", body, err)
		}
		if err != nil && httpx.KindOf(err) != httpx.KindNotJSON {
			t.Fatalf("%q: kind %q", body, httpx.KindOf(err))
		}
	})
}

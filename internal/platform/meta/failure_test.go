// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package meta

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

func graphAnswer(status, code, subcode int) *httpx.Response {
	body := fmt.Sprintf(`{"error":{"message":"Dear s3cret-token","type":"OAuthException","code":%d,"error_subcode":%d,"fbtrace_id":"x"}}`, code, subcode)
	return &httpx.Response{Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
}

var _ = Describe("a refusal", func() {
	graph := at("https://graph.facebook.com")

	DescribeTable("is classed by code and subcode, whatever the status", func(code, subcode int, want platform.Class, shown string) {
		for _, status := range []int{200, 400, 401, 403, 500} {
			failure := graph.refusal(graphAnswer(status, code, subcode))
			Expect(failure).To(HaveOccurred())
			Expect(failure.Class).To(Equal(want), "status %d", status)
			Expect(failure.Code).To(Equal(shown))
			Expect(failure.Message).NotTo(BeEmpty())
			Expect(failure.Error()).NotTo(ContainSubstring("s3cret"))
		}
	},
		Entry("unknown token", 190, 0, platform.Unauthorized, "190"),
		Entry("unknown subcode", 190, 999, platform.Unauthorized, "190/999"),
		Entry("app removed", 190, 458, platform.Revoked, "190/458"),
		Entry("checkpoint", 190, 459, platform.PolicyBlocked, "190/459"),
		Entry("password changed", 190, 460, platform.Revoked, "190/460"),
		Entry("expired", 190, 463, platform.Revoked, "190/463"),
		Entry("unconfirmed", 190, 464, platform.PolicyBlocked, "190/464"),
		Entry("invalidated", 190, 467, platform.Revoked, "190/467"),
		Entry("no task on the Page", 190, 492, platform.Revoked, "190/492"),
		Entry("session", 102, 0, platform.Unauthorized, "102"),
		Entry("session expired", 102, 463, platform.Revoked, "102/463"),
		Entry("capability", 3, 0, platform.InsufficientScope, "3"),
		Entry("permission", 10, 0, platform.InsufficientScope, "10"),
		Entry("permission, first", 200, 0, platform.InsufficientScope, "200"),
		Entry("permission, last", 299, 0, platform.InsufficientScope, "299"),
		Entry("beyond permissions", 300, 0, platform.Unknown, "300"),
		Entry("policy", 368, 0, platform.PolicyBlocked, "368"),
		Entry("app limit", 4, 0, platform.RateLimited, "4"),
		Entry("user limit", 17, 0, platform.RateLimited, "17"),
		Entry("Page limit", 32, 0, platform.RateLimited, "32"),
		Entry("application limit", 341, 0, platform.RateLimited, "341"),
		Entry("custom limit", 613, 0, platform.RateLimited, "613"),
		Entry("business limit, first", 80000, 0, platform.RateLimited, "80000"),
		Entry("Pages limit", 80001, 0, platform.RateLimited, "80001"),
		Entry("business limit, last", 80014, 0, platform.RateLimited, "80014"),
		Entry("beyond limits", 80015, 0, platform.Unknown, "80015"),
		Entry("unknown trouble", 1, 0, platform.Transient, "1"),
		Entry("service", 2, 0, platform.Transient, "2"),
		Entry("parameter", 100, 0, platform.Permanent, "100"),
		Entry("no object", 100, 33, platform.NotFound, "100/33"),
		Entry("no alias", 803, 0, platform.NotFound, "803"),
		Entry("moved Page", 21, 0, platform.NotFound, "21"),
		Entry("duplicate", 506, 0, platform.Conflict, "506"),
		Entry("application", 101, 0, platform.Permanent, "101"),
		Entry("old version", 2635, 0, platform.Permanent, "2635"),
		Entry("something new", 424242, 0, platform.Unknown, "424242"),
	)

	DescribeTable("in another form is classed by what is sure", func(status int, contentType, body string, want platform.Class) {
		failure := graph.refusal(&httpx.Response{Status: status, Header: http.Header{"Content-Type": {contentType}}, Body: []byte(body)})
		Expect(failure).To(HaveOccurred())
		Expect(failure.Class).To(Equal(want))
	},
		Entry("a firewall's 403", 403, "text/html", "<html>Access denied</html>", platform.Unknown),
		Entry("a proxy's 401", 401, "text/plain", "no", platform.Unknown),
		Entry("a proxy's 404", 404, "text/html", "<html>", platform.Unknown),
		Entry("a page in an outage", 502, "text/html", "<html>", platform.Transient),
		Entry("a limit before the API", 429, "text/html", "<html>", platform.RateLimited),
		Entry("a 401 in JSON", 401, "application/json", `{"error":"Unauthorized"}`, platform.Unauthorized),
		Entry("an error without a code", 400, "application/json", `{"error":{"message":"x"}}`, platform.Permanent),
		Entry("JSON without an error", 400, "application/json", `{}`, platform.Unknown),
		Entry("deep nesting", 400, "application/json", `{"error":`+strings.Repeat("[", 5000), platform.Unknown),
	)

	It("is none in a success", func() {
		if failure := graph.refusal(&httpx.Response{Status: 200, Body: []byte(`{"id":"1"}`)}); failure != nil {
			Fail(failure.Error())
		}
	})

	It("is an outage where Meta says that it passes", func() {
		failure := graph.refusal(&httpx.Response{Status: 400, Body: []byte(`{"error":{"code":190,"is_transient":true}}`)})
		Expect(failure.Class).To(Equal(platform.Transient))
	})

	DescribeTable("says when a limit ends", func(usage string, retry, want time.Duration) {
		answer := graphAnswer(400, 80001, 0)
		answer.Header.Set("X-Business-Use-Case-Usage", usage)
		answer.Header.Set("X-App-Usage", `{"call_count":100,"total_time":25,"total_cputime":25}`)
		if retry > 0 {
			answer.RetryAt = noon.Add(retry)
		}
		failure := graph.refusal(answer)
		if want == 0 {
			Expect(failure.RetryAt).To(BeZero())
			return
		}
		Expect(failure.RetryAt).To(Equal(noon.Add(want)))
	},
		Entry("in minutes", `{"1":[{"type":"pages","call_count":100,"estimated_time_to_regain_access":19}]}`, time.Duration(0), 19*time.Minute),
		Entry("the latest of several", `{"1":[{"estimated_time_to_regain_access":2}],"2":[{"estimated_time_to_regain_access":0},{"estimated_time_to_regain_access":7}]}`, time.Duration(0), 7*time.Minute),
		Entry("at most a day", `{"1":[{"estimated_time_to_regain_access":1e12}]}`, time.Duration(0), 24*time.Hour),
		Entry("not at all", `{"1":[{"estimated_time_to_regain_access":0}]}`, time.Duration(0), time.Duration(0)),
		Entry("by HTTP", "", time.Minute, time.Minute),
		Entry("by HTTP where the header is nonsense", `{"1":`, time.Minute, time.Minute),
		Entry("by HTTP where the header is too long", `{"1":[{"estimated_time_to_regain_access":19}],"2":"`+strings.Repeat("x", maxUsage)+`"}`, time.Minute, time.Minute),
		Entry("not in the past", `{"1":[{"estimated_time_to_regain_access":-5}]}`, time.Duration(0), time.Duration(0)),
	)

	It("that is no limit does not wait for one to end", func() {
		for _, code := range []int{190, 100, 2} {
			answer := graphAnswer(400, code, 0)
			answer.Header.Set("X-Business-Use-Case-Usage", `{"1":[{"estimated_time_to_regain_access":19}]}`)
			answer.RetryAt = noon.Add(time.Minute)
			Expect(graph.refusal(answer).RetryAt).To(Equal(noon.Add(time.Minute)), "code %d", code)
		}
	})

	It("of the app's own token blames no account", func() {
		for code, want := range map[int]platform.Class{190: platform.Permanent, 200: platform.Permanent, 368: platform.PolicyBlocked, 4: platform.RateLimited, 2: platform.Transient} {
			Expect(platform.ClassOf(ofApplication(graph.refusal(graphAnswer(400, code, 0))))).To(Equal(want), "code %d", code)
		}
		foreign := graph.refusal(&httpx.Response{Status: 401, Body: []byte(`{"error":"Unauthorized"}`)})
		Expect(ofApplication(foreign)).To(BeIdenticalTo(error(foreign)))
		other := errors.New("other")
		Expect(ofApplication(other)).To(BeIdenticalTo(other))
	})
})

func FuzzDecodeError(f *testing.F) {
	for _, status := range []int{200, 302, 400, 401, 403, 404, 429, 500, 999} {
		for _, body := range []string{
			`{"error":{"code":190,"error_subcode":463}}`, `{"error":{"code":"190"}}`, `{"error":"Unauthorized"}`, `{"error":null}`,
			`{"error":{"code":4,"is_transient":true}}`, `<html>`, ``, `[]`, `{"error":{"code":1e99}}`,
		} {
			f.Add(status, body, `{"1":[{"estimated_time_to_regain_access":19}]}`)
		}
	}
	graph := at("https://graph.facebook.com")
	f.Fuzz(func(t *testing.T, status int, body, usage string) {
		failure := graph.refusal(&httpx.Response{Status: status, Header: http.Header{"X-Business-Use-Case-Usage": {usage}}, Body: []byte(body)})
		if failure == nil {
			if status < 200 || status > 299 {
				t.Fatalf("status %d is no success", status)
			}
			return
		}
		if failure.Class == "" || failure.Message == "" || len(failure.Error()) > 500 {
			t.Fatalf("no class or message: %+v", failure)
		}
		if !failure.RetryAt.IsZero() && (failure.RetryAt.Before(noon) || failure.RetryAt.After(noon.Add(24*time.Hour))) {
			t.Fatalf("the time %v is out of bounds", failure.RetryAt)
		}
		if isRefused(failure) && !strings.HasPrefix(strings.TrimSpace(body), "{") {
			t.Fatalf("status %d with %q blames the credential", status, body)
		}
	})
}

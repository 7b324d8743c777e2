// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package faults_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
)

func TestFaults(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "faults")
}

type answer struct {
	Status int
	Header http.Header
	Body   string
}

var _ = Describe("a proxy in front of a server", func() {
	var (
		acted atomic.Int32
		proxy *faults.Proxy
	)

	BeforeEach(func() {
		acted.Store(0)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			acted.Add(1)
			_, _ = fmt.Fprintf(w, "served %s for %s", r.URL.Path, r.Host)
		}))
		DeferCleanup(server.Close)
		var err error
		proxy, err = faults.NewProxy(server.URL)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(proxy.Close)
	})

	ask := func(ctx context.Context, path, body string) (answer, error) {
		GinkgoHelper()
		client := &http.Client{
			Transport:     &http.Transport{DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, proxy.URL()+path, strings.NewReader(body))
		Expect(err).NotTo(HaveOccurred())
		request.Header.Set("Authorization", "Bearer s3cret")
		response, err := client.Do(request)
		if err != nil {
			return answer{}, err
		}
		defer func() { _ = response.Body.Close() }()
		content, err := io.ReadAll(response.Body)
		return answer{response.StatusCode, response.Header, string(content)}, err
	}

	It("passes requests on, and counts them by path", func(ctx SpecContext) {
		got, err := ask(ctx, "/a", "")
		Expect(err).NotTo(HaveOccurred())
		Expect(got.Body).To(HavePrefix("served /a for 127.0.0.1:"))
		_, err = ask(ctx, "/a", "")
		Expect(err).NotTo(HaveOccurred())
		_, err = ask(ctx, "/b", "")
		Expect(err).NotTo(HaveOccurred())
		Expect(proxy.Requests()).To(Equal(map[string]int{"/a": 2, "/b": 1}))
		Expect(proxy.Total()).To(Equal(3))
	})

	It("listens on the loopback interface alone", func() {
		listening, err := url.Parse(proxy.URL())
		Expect(err).NotTo(HaveOccurred())
		Expect(listening.Hostname()).To(Equal("127.0.0.1"))
	})

	It("keeps a fault to its path and its number of times", func(ctx SpecContext) {
		injection := proxy.Inject("/a", faults.Status(http.StatusTeapot)).Times(2)
		statuses := []int{}
		for _, path := range []string{"/a", "/b", "/a", "/a"} {
			got, err := ask(ctx, path, "")
			Expect(err).NotTo(HaveOccurred())
			statuses = append(statuses, got.Status)
		}
		Expect(statuses).To(Equal([]int{418, 200, 418, 200}))
		Expect(injection.Served()).To(Equal(2))
	})

	It("takes an unbounded fault for every path until it is stopped or healed", func(ctx SpecContext) {
		injection := proxy.Inject("", faults.Status(http.StatusBadGateway))
		for range 3 {
			Expect(ask(ctx, "/x", "")).To(HaveField("Status", 502))
		}
		injection.Stop()
		Expect(ask(ctx, "/x", "")).To(HaveField("Status", 200))
		proxy.Inject("", faults.Status(http.StatusBadGateway))
		proxy.Heal()
		Expect(ask(ctx, "/x", "")).To(HaveField("Status", 200))
	})

	It("loses an answer after the server has acted", func(ctx SpecContext) {
		proxy.Inject("", faults.LostAnswer()).Times(1)
		_, err := ask(ctx, "/a", "")
		Expect(err).To(HaveOccurred())
		Expect(acted.Load()).To(BeEquivalentTo(1))
	})

	DescribeTable("breaks the exchange", func(ctx SpecContext, fault faults.Fault) {
		proxy.Inject("", fault)
		_, err := ask(ctx, "/a", "")
		Expect(err).To(HaveOccurred())
		Expect(acted.Load()).To(BeZero())
	},
		Entry("before the server has acted", faults.Drop()),
		Entry("in the middle of the body", faults.Truncated()),
	)

	It("hangs until the client gives up", func(ctx SpecContext) {
		injection := proxy.Inject("", faults.Hang())
		ended := make(chan error, 1)
		asking, giveUp := context.WithCancel(ctx)
		go func() {
			defer GinkgoRecover()
			_, err := ask(asking, "/a", "")
			ended <- err
		}()
		Eventually(injection.Served).Should(Equal(1))
		Consistently(ended, "50ms").ShouldNot(Receive())
		giveUp()
		Eventually(ended).Should(Receive(MatchError(context.Canceled)))
	})

	It("repeats the request's secrets", func(ctx SpecContext) {
		proxy.Inject("", faults.Echo(http.StatusBadRequest))
		got, err := ask(ctx, "/a", "token=t0ken")
		Expect(err).NotTo(HaveOccurred())
		Expect(got.Status).To(Equal(400))
		Expect(got.Body).To(And(ContainSubstring("Bearer s3cret"), ContainSubstring("token=t0ken")))
	})

	It("sends a great deal", func(ctx SpecContext) {
		proxy.Inject("", faults.Huge(10<<20))
		got, err := ask(ctx, "/a", "")
		Expect(err).NotTo(HaveOccurred())
		Expect(len(got.Body)).To(BeNumerically(">=", 10<<20))
	})

	DescribeTable("answers with a body", func(ctx SpecContext, fault faults.Fault, status int, body string) {
		proxy.Inject("", fault)
		got, err := ask(ctx, "/a", "")
		Expect(err).NotTo(HaveOccurred())
		Expect(got.Status).To(Equal(status))
		Expect(got.Body).To(ContainSubstring(body))
		Expect(acted.Load()).To(BeZero())
	},
		Entry("a refusal", faults.Status(401), 401, `{"error":"Unauthorized"}`),
		Entry("a page", faults.HTML(200), 200, "<html>"),
		Entry("nothing", faults.Empty(), 200, ""),
		Entry("null", faults.Null(), 200, "null"),
		Entry("an empty object", faults.EmptyObject(), 200, "{}"),
		Entry("half a value", faults.HalfJSON(), 200, `"username":"ne`),
		Entry("a redirect", faults.Redirect("https://elsewhere.example/"), 302, ""),
	)

	DescribeTable("says when to come back", func(ctx SpecContext, fault faults.Fault, header, value string) {
		proxy.Inject("", fault)
		got, err := ask(ctx, "/a", "")
		Expect(err).NotTo(HaveOccurred())
		Expect(got.Header.Get(header)).To(Equal(value))
	},
		Entry(nil, limited(faults.ResetISO8601), "X-RateLimit-Reset", "2026-11-21T08:02:00.000000Z"),
		Entry(nil, limited(faults.ResetEpoch), "RateLimit-Reset", "1795248120"),
		Entry(nil, limited(faults.ResetXEpoch), "X-RateLimit-Reset", "1795248120"),
		Entry(nil, limited(faults.ResetRemaining), "X-RateLimit-Reset", "120"),
		Entry(nil, limited(faults.RetryAfterSeconds), "Retry-After", "120"),
		Entry(nil, limited(faults.RetryAfterDate), "Retry-After", "Sat, 21 Nov 2026 08:02:00 GMT"),
		Entry(nil, faults.Unavailable(30*time.Second), "Retry-After", "30"),
	)
})

func limited(format faults.ResetFormat) faults.Fault {
	return faults.RateLimited(format, time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC), 2*time.Minute)
}

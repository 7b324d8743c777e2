// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package pds_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/test/pds"
)

const (
	methodA = "com.example.a"
	methodB = "com.example.b"
	answerA = `{"method":"com.example.a"}`
)

var _ = Describe("Proxy", func() {
	var (
		proxy   *pds.Proxy
		client  *http.Client
		carried atomic.Int64
	)

	BeforeEach(func() {
		carried.Store(0)
		upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, err := io.Copy(io.Discard, r.Body)
			Expect(err).NotTo(HaveOccurred())
			carried.Add(1)
			w.Header().Set("Content-Type", "application/json")
			_, err = io.WriteString(w, `{"method":"`+strings.TrimPrefix(r.URL.Path, "/xrpc/")+`"}`)
			Expect(err).NotTo(HaveOccurred())
		}))
		DeferCleanup(upstream.Close)
		var err error
		proxy, err = pds.NewProxy(upstream.URL)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { Expect(proxy.Close()).To(Succeed()) })
		client = &http.Client{
			Timeout:       specTime,
			Transport:     &http.Transport{DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	})

	// post calls the method through the proxy; a broken connection is the error.
	post := func(ctx context.Context, nsid string) (int, string, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, proxy.URL()+"/xrpc/"+nsid, strings.NewReader("{}"))
		Expect(err).NotTo(HaveOccurred())
		response, err := client.Do(request)
		if err != nil {
			return 0, "", err
		}
		body, err := io.ReadAll(response.Body)
		Expect(response.Body.Close()).To(Succeed())
		return response.StatusCode, string(body), err
	}
	status := func(ctx context.Context, nsid string) int {
		GinkgoHelper()
		status, _, err := post(ctx, nsid)
		Expect(err).NotTo(HaveOccurred())
		return status
	}

	It("passes requests on and keeps a list of them", func(ctx SpecContext) {
		code, body, err := post(ctx, methodA)
		Expect(err).NotTo(HaveOccurred())
		Expect(code).To(Equal(http.StatusOK))
		Expect(body).To(Equal(answerA))
		Expect(status(ctx, methodB)).To(Equal(http.StatusOK))

		Eventually(ctx, func() []pds.Request { return proxy.Requests() }).Should(HaveExactElements(
			And(HaveField("NSID", methodA), HaveField("Status", http.StatusOK), HaveField("UserAgent", "Go-http-client/1.1")),
			And(HaveField("NSID", methodB), HaveField("Status", http.StatusOK)),
		))
		Expect(proxy.Count(methodA)).To(Equal(1))
		Expect(proxy.Count(pds.AnyMethod)).To(Equal(2))
	}, NodeTimeout(specTime))

	It("plays rules in order, as often as they say", func(ctx SpecContext) {
		first := proxy.On(methodA, pds.Status(503)).Once()
		proxy.On(methodA, pds.Status(500)).After(1).Times(2)
		proxy.On(methodB, pds.Status(403))
		var seen []int
		for range 5 {
			seen = append(seen, status(ctx, methodA))
		}
		Expect(seen).To(Equal([]int{503, 200, 500, 500, 200}))
		Expect(first.Hits()).To(Equal(1))
		Expect(status(ctx, methodB)).To(Equal(403))

		proxy.Reset()
		Expect(status(ctx, methodB)).To(Equal(200))
	}, NodeTimeout(specTime))

	It("narrows and removes rules", func(ctx SpecContext) {
		rule := proxy.On(pds.AnyMethod, pds.Status(401)).When(func(r *http.Request) bool {
			return strings.HasSuffix(r.URL.Path, methodB)
		})
		Expect(status(ctx, methodA)).To(Equal(200))
		Expect(status(ctx, methodB)).To(Equal(401))
		rule.Remove()
		Expect(status(ctx, methodB)).To(Equal(200))
	}, NodeTimeout(specTime))

	DescribeTable("answers in the server's place",
		func(ctx SpecContext, fault pds.Fault, code int, matcher OmegaMatcher) {
			proxy.On(methodA, fault)
			got, body, err := post(ctx, methodA)
			Expect(err).NotTo(HaveOccurred())
			Expect(got).To(Equal(code))
			Expect(body).To(matcher)
			Expect(carried.Load()).To(BeZero())
		},
		Entry("401", pds.Status(401), 401, MatchJSON(`{"error":"AuthenticationRequired","message":"Unauthorized"}`)),
		Entry("an error by name", pds.XRPCError(400, "ExpiredToken", "Token has expired"), 400,
			MatchJSON(`{"error":"ExpiredToken","message":"Token has expired"}`)),
		Entry("HTML", pds.HTML(503), 503, HavePrefix("<!DOCTYPE html>")),
		Entry("nothing", pds.Empty(200), 200, BeEmpty()),
		Entry("half a JSON", pds.Respond(200, "application/json", `{"did":"did:plc:`), 200, HaveSuffix("plc:")),
		Entry("ten megabytes", pds.Huge(200, 10<<20), 200, HaveLen(10<<20+len(`{"message":""}`))),
		Entry("a redirect", pds.Redirect("http://169.254.169.254/"), 302, Not(ContainSubstring("method"))),
	)

	It("limits as the real service does", func() {
		proxy.On(methodA, pds.RateLimited(time.Unix(1795299099, 0)))
		response, err := client.Get(proxy.URL() + "/xrpc/" + methodA)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(response.Body.Close)
		Expect(response).To(HaveHTTPStatus(http.StatusTooManyRequests))
		Expect(response).To(HaveHTTPHeaderWithValue("RateLimit-Reset", "1795299099"))
		Expect(response.Header).NotTo(HaveKey("Retry-After"))
	})

	DescribeTable("breaks the connection",
		func(ctx SpecContext, fault pds.Fault, reaches int) {
			proxy.On(methodA, fault).Once()
			_, _, err := post(ctx, methodA)
			Expect(err).To(MatchError(io.EOF))
			Expect(carried.Load()).To(BeEquivalentTo(reaches))
			Expect(proxy.Requests()).To(HaveExactElements(HaveField("Status", 0)))
			Expect(status(ctx, methodA)).To(Equal(200))
		},
		Entry("before the server hears of it", pds.Fault(pds.LoseRequest), 0),
		Entry("after the server has done it", pds.Fault(pds.LoseAnswer), 1),
	)

	It("breaks the connection when the server is down", func() {
		down := httptest.NewServer(http.NotFoundHandler())
		down.Close()
		orphan, err := pds.NewProxy(down.URL)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(orphan.Close)
		_, err = client.Get(orphan.URL())
		Expect(err).To(MatchError(io.EOF))
	})

	It("does what was asked and answers otherwise", func(ctx SpecContext) {
		proxy.On(methodA, pds.HalfAnswer).Once()
		proxy.On(methodA, pds.AnswerInstead(pds.Status(500))).Once()
		_, body, err := post(ctx, methodA)
		Expect(err).NotTo(HaveOccurred())
		Expect(body).To(Equal(answerA[:len(answerA)/2]))
		Expect(status(ctx, methodA)).To(Equal(500))
		Expect(carried.Load()).To(BeEquivalentTo(2))
	}, NodeTimeout(specTime))

	DescribeTable("hangs until the client gives up",
		func(ctx SpecContext, fault pds.Fault, reaches int) {
			proxy.On(methodA, fault)
			short, cancel := context.WithTimeout(ctx, impatience)
			defer cancel()
			_, _, err := post(short, methodA)
			Expect(err).To(MatchError(context.DeadlineExceeded))
			Expect(carried.Load()).To(BeEquivalentTo(reaches))
		},
		Entry("before the server hears of it", pds.Fault(pds.Hang), 0),
		Entry("after the server has done it", pds.Fault(pds.HangAnswer), 1),
	)

	It("lets go of what hangs when it closes", func(ctx SpecContext) {
		gate := pds.NewGate()
		proxy.On(methodA, gate.HoldRequest)
		done := make(chan error, 1)
		go func() {
			_, _, err := post(ctx, methodA)
			done <- err
		}()
		Eventually(ctx, gate.Arrived()).Should(BeClosed())
		Expect(proxy.Close()).To(Succeed())
		Eventually(ctx, done).Should(Receive(HaveOccurred()))
	}, NodeTimeout(specTime))

	DescribeTable("holds at a gate",
		func(ctx SpecContext, hold func(*pds.Gate) pds.Fault, reaches int) {
			gate := pds.NewGate()
			proxy.On(methodA, hold(gate))
			done := make(chan int, 1)
			go func() {
				defer GinkgoRecover()
				done <- status(ctx, methodA)
			}()
			Eventually(ctx, gate.Arrived()).Should(BeClosed())
			Expect(carried.Load()).To(BeEquivalentTo(reaches))
			Expect(done).NotTo(Receive())
			gate.Open()
			gate.Open()
			Eventually(ctx, done).Should(Receive(Equal(200)))
			Expect(carried.Load()).To(BeEquivalentTo(1))
		},
		Entry("before the server hears of it", func(g *pds.Gate) pds.Fault { return g.HoldRequest }, 0),
		Entry("after the server has done it", func(g *pds.Gate) pds.Fault { return g.HoldAnswer }, 1),
	)

	It("loses the answer of the real server, and the app password exists", func(ctx SpecContext) {
		server := startServer(ctx, pds.Options{})
		account := newAccount(ctx, server)
		session := newSession(ctx, server, account)
		front, err := pds.NewProxy(server.URL())
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(front.Close)
		front.On("com.atproto.server.createAppPassword", pds.LoseAnswer).Once()

		request, err := http.NewRequestWithContext(ctx, http.MethodPost,
			front.URL()+"/xrpc/com.atproto.server.createAppPassword", strings.NewReader(`{"name":"rostra"}`))
		Expect(err).NotTo(HaveOccurred())
		request.Header.Set("Authorization", "Bearer "+session.AccessJWT)
		request.Header.Set("Content-Type", "application/json")
		_, err = client.Do(request)
		Expect(err).To(MatchError(io.EOF))
		Expect(server.ListAppPasswords(ctx, account)).To(ConsistOf("rostra"))
		Expect(server.RequestCount("com.atproto.server.createAppPassword")).To(Equal(1))
	}, NodeTimeout(installTime))
})

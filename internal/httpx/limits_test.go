// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package httpx_test

import (
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/rostra-dev/rostra/internal/httpx"
)

func newFakeClock() *clocktesting.FakeClock {
	return clocktesting.NewFakeClock(time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC))
}

// answering serves the status that is stored in the returned value.
func answering(status int) (url string, current, calls *atomic.Int32) {
	current, calls = new(atomic.Int32), new(atomic.Int32)
	current.Store(int32(status))
	server := serve(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(int(current.Load()))
	})
	return server.URL, current, calls
}

var _ = Describe("Circuit breaker", Label("S23"), func() {
	const after, openFor = 3, 30 * time.Second

	var clk *clocktesting.FakeClock
	var client *httpx.Client

	BeforeEach(func() {
		clk = newFakeClock()
		client = newClient(timeout(2*time.Second), func(o *httpx.Options) {
			o.Clock, o.BreakerAfter, o.BreakerOpenFor = clk, after, openFor
		})
	})

	call := func(url string) error {
		_, err := get(client, url)
		return err
	}

	It("opens after so many 503 in a row, and recovers through one probe", func() {
		url, status, calls := answering(http.StatusServiceUnavailable)
		for range after {
			Expect(call(url)).To(Succeed(), "a 503 is an answer")
		}
		err := call(url)
		Expect(err).To(haveKind(httpx.KindBreakerOpen))
		Expect(err).To(MatchError(url + ": not called after repeated failures (the last: a server error, 5xx); it is tried again by itself"))
		Expect(asError(err).RetryAt).To(BeTemporally("==", clk.Now().Add(openFor)))
		Expect(asError(err).MaybeSent).To(BeFalse())
		Expect(calls.Load()).To(Equal(int32(after)))

		By("trying once when the time has come, and closing again for as long")
		clk.Step(openFor - time.Nanosecond)
		Expect(call(url)).To(haveKind(httpx.KindBreakerOpen))
		clk.Step(time.Nanosecond)
		Expect(call(url)).To(Succeed())
		Expect(call(url)).To(haveKind(httpx.KindBreakerOpen))
		Expect(calls.Load()).To(Equal(int32(after + 1)))

		By("letting all through after a good probe")
		status.Store(http.StatusOK)
		clk.Step(openFor)
		for range 2 * after {
			Expect(call(url)).To(Succeed())
		}
	})

	It("counts failures in a row only", func() {
		url, status, _ := answering(http.StatusBadGateway)
		for range 5 {
			status.Store(http.StatusBadGateway)
			for range after - 1 {
				Expect(call(url)).To(Succeed())
			}
			status.Store(http.StatusOK)
			Expect(call(url)).To(Succeed())
		}
	})

	DescribeTable("does not count what says nothing of the server's health",
		func(status int) {
			url, _, calls := answering(status)
			for range 3 * after {
				Expect(call(url)).To(Succeed())
			}
			Expect(calls.Load()).To(Equal(int32(3 * after)))
		},
		Entry("400", 400), Entry("401", 401), Entry("403", 403), Entry("404", 404), Entry("429", 429), Entry("501", 501),
	)

	DescribeTable("counts what does",
		func(base func() string, kind httpx.Kind) {
			url := base()
			for range after {
				Expect(call(url)).To(haveKind(kind))
			}
			Expect(call(url)).To(haveKind(httpx.KindBreakerOpen))
		},
		Entry("a refused connection", closedPort, httpx.KindConnect),
		Entry("a truncated body", func() string { return serveRaw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{") }, httpx.KindTruncated),
		Entry("no HTTP", func() string { return serveRaw("hello\r\n") }, httpx.KindProtocol),
		Entry("a bad certificate", func() string {
			return serveTLS(nil, func(http.ResponseWriter, *http.Request) {}).URL
		}, httpx.KindTLS),
	)

	Context("of accounts", func() {
		as := func(account, url string) error {
			_, err := client.Do(context.Background(), httpx.Request{Account: account, URL: url})
			return err
		}
		perAccount := func(o *httpx.Options) {
			o.Clock, o.BreakerAfter, o.BreakerOpenFor, o.BreakerPerAccount = clk, after, openFor, true
		}
		BeforeEach(func() { client = newClient(timeout(2*time.Second), perAccount) })

		It("leaves one alone that fails, and no other at the same server", func() {
			calls := new(atomic.Int32)
			url := serve(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/broken" {
					calls.Add(1)
					w.WriteHeader(http.StatusInternalServerError)
				}
			}).URL
			for range after {
				Expect(as("broken", url+"/broken")).To(Succeed(), "a 500 is an answer")
			}
			Expect(as("broken", url+"/broken")).To(haveKind(httpx.KindBreakerOpen))
			for range 2 * after {
				Expect(as("sound", url+"/sound")).To(Succeed())
			}
			Expect(as("broken", url+"/broken")).To(haveKind(httpx.KindBreakerOpen), "whatever others do there")
			Expect(calls.Load()).To(BeEquivalentTo(after))

			clk.Step(openFor)
			Expect(as("broken", url+"/sound")).To(Succeed(), "one probe")
			for range after {
				Expect(as("broken", url+"/sound")).To(Succeed())
			}
		})

		It("leaves one alone that does not answer, and no other", func() {
			client = newClient(timeout(30*time.Millisecond), perAccount)
			url := serve(func(_ http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/hangs" {
					untilGone(r)
				}
			}).URL
			for range after {
				Expect(as("hangs", url+"/hangs")).To(haveKind(httpx.KindTimeout))
			}
			Expect(as("hangs", url+"/hangs")).To(haveKind(httpx.KindBreakerOpen))
			Expect(as("sound", url)).NotTo(haveKind(httpx.KindBreakerOpen))
		})

		It("leaves all alone where there is no connection, and lets one probe for all", func() {
			url := closedPort()
			for _, account := range []string{"a", "b", "c"}[:after] {
				Expect(as(account, url)).To(haveKind(httpx.KindConnect))
			}
			Expect(as("d", url)).To(haveKind(httpx.KindBreakerOpen))
			clk.Step(openFor)
			Expect(as("d", url)).To(haveKind(httpx.KindConnect))
			Expect(as("e", url)).To(haveKind(httpx.KindBreakerOpen))
		})

		It("keeps no server from being tried because one of its accounts is left alone", func() {
			var broken atomic.Bool
			server := serve(func(w http.ResponseWriter, _ *http.Request) {
				if broken.Load() {
					panic(http.ErrAbortHandler)
				}
				w.WriteHeader(http.StatusBadGateway)
			})
			for range after {
				Expect(as("broken", server.URL)).To(Succeed())
			}
			Expect(as("broken", server.URL)).To(haveKind(httpx.KindBreakerOpen))
			broken.Store(true)
			for range after {
				Expect(as("other", server.URL)).To(haveKind(httpx.KindProtocol))
			}
			Expect(as("other", server.URL)).To(haveKind(httpx.KindBreakerOpen))
			Expect(as("third", server.URL)).To(haveKind(httpx.KindProtocol))
		})

		It("is kept for so many", func() {
			client = newClient(perAccount, func(o *httpx.Options) { o.MaxAccounts = 2 })
			url, _, _ := answering(http.StatusBadGateway)
			for range after {
				Expect(as("a", url)).To(Succeed())
			}
			Expect(as("a", url)).To(haveKind(httpx.KindBreakerOpen))
			for _, account := range []string{"b", "c"} {
				Expect(as(account, url)).To(Succeed())
			}
			Expect(as("a", url)).To(Succeed(), "forgotten")
		})
	})

	It("does not count redirects, which a server in good health sends", func() {
		server := serve(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) })
		for range 3 * after {
			Expect(call(server.URL)).To(haveKind(httpx.KindRedirect))
		}
	})

	It("counts its own time-outs", func() {
		client = newClient(timeout(30*time.Millisecond), func(o *httpx.Options) { o.Clock, o.BreakerAfter = clk, after })
		url := serve(func(_ http.ResponseWriter, r *http.Request) { untilGone(r) }).URL
		for range after {
			Expect(call(url)).To(haveKind(httpx.KindTimeout))
		}
		Expect(call(url)).To(haveKind(httpx.KindBreakerOpen))
	})

	It("does not count the caller's cancellations, deadlines, or bodies over the cap", func() {
		var hang atomic.Bool
		var current atomic.Value
		server := serve(func(w http.ResponseWriter, r *http.Request) {
			if !hang.Load() {
				_, _ = io.WriteString(w, "more than one byte")
				return
			}
			if cancel, ok := current.Load().(context.CancelFunc); ok {
				cancel()
			}
			untilGone(r)
		})
		hang.Store(true)
		for range 2 * after {
			ctx, cancel := context.WithCancel(context.Background())
			current.Store(cancel)
			_, err := client.Do(ctx, httpx.Request{URL: server.URL})
			Expect(err).To(haveKind(httpx.KindCanceled))
		}
		for range 2 * after {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
			_, err := client.Do(ctx, httpx.Request{URL: server.URL})
			cancel()
			Expect(err).To(haveKind(httpx.KindTimeout))
		}
		hang.Store(false)
		for range 2 * after {
			_, err := client.Do(context.Background(), httpx.Request{URL: server.URL, MaxBody: 1})
			Expect(err).To(haveKind(httpx.KindBodyTooLarge))
		}
		Expect(call(server.URL)).To(Succeed())
	})

	It("lets exactly one probe through, and passes a cancelled probe on", func() {
		var healthy atomic.Bool
		arrived := make(chan struct{}, 10)
		server := serve(func(w http.ResponseWriter, r *http.Request) {
			if healthy.Load() {
				return
			}
			if r.URL.Path == "/hang" {
				arrived <- struct{}{}
				untilGone(r)
				return
			}
			w.WriteHeader(http.StatusInternalServerError)
		})
		for range after {
			Expect(call(server.URL)).To(Succeed())
		}
		clk.Step(openFor)

		ctx, cancel := context.WithCancel(context.Background())
		probe := make(chan error, 1)
		go func() {
			_, err := client.Do(ctx, httpx.Request{URL: server.URL + "/hang"})
			probe <- err
		}()
		Eventually(arrived).Should(Receive())
		Expect(call(server.URL)).To(haveKind(httpx.KindBreakerOpen), "a second probe beside the first")
		cancel()
		Eventually(probe).Should(Receive(haveKind(httpx.KindCanceled)))

		healthy.Store(true)
		Expect(call(server.URL)).To(Succeed(), "the next request is the probe")
		Expect(call(server.URL)).To(Succeed())
	})

	It("leaves other origins undisturbed", func() {
		down, _, _ := answering(http.StatusServiceUnavailable)
		up, _, calls := answering(http.StatusOK)
		for range after {
			Expect(call(down)).To(Succeed())
		}
		for range 10 {
			Expect(call(down)).To(haveKind(httpx.KindBreakerOpen))
			Expect(call(up)).To(Succeed())
		}
		Expect(calls.Load()).To(Equal(int32(10)))
	})
})

var _ = Describe("An account's rate", func() {
	var clk *clocktesting.FakeClock
	var client *httpx.Client
	var url string
	var calls *atomic.Int32

	BeforeEach(func() {
		clk = newFakeClock()
		client = newClient(func(o *httpx.Options) {
			o.Clock, o.AccountRate, o.AccountBurst, o.MaxWait = clk, 0.5, 2, time.Second
		})
		url, _, calls = answering(http.StatusOK)
	})

	as := func(account, url string) error {
		_, err := client.Do(context.Background(), httpx.Request{Account: account, URL: url})
		return err
	}

	It("is its own", func() {
		Expect(as("a", url)).To(Succeed())
		Expect(as("a", url)).To(Succeed())
		Expect(as("a", url)).To(haveKind(httpx.KindRateLimited))
		Expect(as("b", url)).To(Succeed())
		Expect(as("", url)).To(Succeed())
		other, _, _ := answering(http.StatusOK)
		Expect(as("a", other)).To(Succeed(), "the same ID at another origin is another account")
		Expect(calls.Load()).To(Equal(int32(4)))
	})

	It("parks no worker, and says when there is room", func() {
		for range 2 {
			Expect(as("a", url)).To(Succeed())
		}
		for range 5 { // refused calls use up nothing
			err := as("a", url)
			Expect(err).To(haveKind(httpx.KindRateLimited))
			Expect(err).To(MatchError(url + ": this account has used up its local request rate"))
			Expect(asError(err).RetryAt).To(BeTemporally("==", clk.Now().Add(2*time.Second)))
			Expect(asError(err).MaybeSent).To(BeFalse())
		}
		clk.Step(2 * time.Second)
		Expect(as("a", url)).To(Succeed())
	})

	It("waits where the wait is short", func() {
		for range 2 {
			Expect(as("a", url)).To(Succeed())
		}
		clk.Step(1500 * time.Millisecond)
		done := make(chan error, 1)
		go func() { done <- as("a", url) }()
		Eventually(clk.HasWaiters).Should(BeTrue())
		Expect(calls.Load()).To(Equal(int32(2)))
		clk.Step(500 * time.Millisecond)
		Eventually(done).Should(Receive(BeNil()))
	})

	It("does not wait past the caller's deadline", func() {
		clk.SetTime(time.Now()) // deadlines of contexts are in real time
		for range 2 {
			Expect(as("a", url)).To(Succeed())
		}
		clk.Step(1500 * time.Millisecond)
		ctx, cancel := context.WithDeadline(context.Background(), clk.Now().Add(400*time.Millisecond))
		defer cancel()
		_, err := client.Do(ctx, httpx.Request{Account: "a", URL: url})
		Expect(err).To(haveKind(httpx.KindRateLimited))
	})

	It("gives up waiting when the caller does", func() {
		for range 2 {
			Expect(as("a", url)).To(Succeed())
		}
		clk.Step(1500 * time.Millisecond)
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() {
			_, err := client.Do(ctx, httpx.Request{Account: "a", URL: url})
			done <- err
		}()
		Eventually(clk.HasWaiters).Should(BeTrue())
		cancel()
		Eventually(done).Should(Receive(haveKind(httpx.KindCanceled)))
	})

	It("costs nothing while the breaker is open", func() {
		client = newClient(func(o *httpx.Options) {
			o.Clock, o.AccountRate, o.AccountBurst, o.BreakerAfter, o.BreakerOpenFor = clk, 0.01, 2, 1, time.Second
		})
		down := closedPort()
		Expect(as("a", down)).To(haveKind(httpx.KindConnect))
		for range 10 {
			Expect(as("a", down)).To(haveKind(httpx.KindBreakerOpen))
		}
		clk.Step(time.Second)
		Expect(as("a", down)).To(haveKind(httpx.KindConnect), "the second token was still there")
	})
})

var _ = Describe("Places at an origin", func() {
	It("are bounded, and another origin has its own", func() {
		clk := newFakeClock()
		client := newClient(func(o *httpx.Options) { o.Clock, o.OriginLimit, o.MaxWait = clk, 2, time.Second })
		release := make(chan struct{})
		arrived := make(chan struct{}, 10)
		slow := serve(func(http.ResponseWriter, *http.Request) {
			arrived <- struct{}{}
			<-release
		}).URL
		fast, _, _ := answering(http.StatusOK)

		var group sync.WaitGroup
		for range 2 {
			group.Go(func() {
				defer GinkgoRecover()
				_, err := get(client, slow)
				Expect(err).NotTo(HaveOccurred())
			})
		}
		Eventually(arrived).Should(Receive())
		Eventually(arrived).Should(Receive())

		third := make(chan error, 1)
		go func() {
			_, err := get(client, slow)
			third <- err
		}()
		Eventually(clk.HasWaiters).Should(BeTrue())
		_, err := get(client, fast)
		Expect(err).NotTo(HaveOccurred())
		clk.Step(time.Second)
		Eventually(third).Should(Receive(And(
			haveKind(httpx.KindBusy),
			MatchError(slow+": too many requests to this server are in flight"),
			WithTransform(func(err error) time.Time { return asError(err).RetryAt }, BeTemporally(">", clk.Now())),
		)))

		By("letting one in as soon as another leaves")
		fourth := make(chan error, 1)
		go func() {
			_, err := get(client, slow)
			fourth <- err
		}()
		Eventually(clk.HasWaiters).Should(BeTrue())
		close(release)
		Eventually(fourth).Should(Receive(BeNil()))
		group.Wait()
	})
})

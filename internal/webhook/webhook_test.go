// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package webhook_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	testclock "k8s.io/utils/clock/testing"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/webhook"
)

const (
	oldSecret = "whsec_b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xk"
	newSecret = "whsec_bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3"
	path      = "/hooks/p4th-s3cret"
)

type received struct {
	header http.Header
	body   []byte
}

// receiver is a help desk's end of the wire.
type receiver struct {
	*httptest.Server
	got    []received
	answer http.HandlerFunc
}

func newReceiver() *receiver {
	r := &receiver{answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }}
	r.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil || req.Method != http.MethodPost || req.URL.Path != path {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		r.got = append(r.got, received{req.Header.Clone(), body})
		r.answer(w, req)
	}))
	r.Config.ErrorLog = log.New(io.Discard, "", 0)
	r.StartTLS()
	DeferCleanup(r.Close)
	return r
}

func newSender(r *receiver, limit time.Duration) *webhook.Sender {
	GinkgoHelper()
	roots := x509.NewCertPool()
	roots.AddCert(r.Certificate())
	client, err := httpx.New(httpx.Options{
		UserAgent: "rostra-test/1", RootCAs: roots, Timeout: limit, AccountBurst: 100,
		AllowedPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(client.CloseIdleConnections)
	return &webhook.Sender{HTTP: client, Clock: testclock.NewFakePassiveClock(time.Now())}
}

func values(secrets ...string) []credentials.Value {
	var all []credentials.Value
	for _, secret := range secrets {
		all = append(all, credentials.NewValue(secret))
	}
	return all
}

func happened() webhook.Event {
	return webhook.Event{
		ID: "told-1", Source: "/rostra", Type: "dev.rostra.notification.v1", Subject: "conversation-7",
		Time: time.Date(2026, 3, 1, 0, 30, 0, 0, time.FixedZone("Sydney", 11*3600)),
		Data: map[string]any{"title": "Nobody has answered"},
	}
}

var _ = Describe("An event that is sent", func() {
	It("arrives as one CloudEvents document", func(ctx context.Context) {
		to := newReceiver()
		target := webhook.Target{URL: credentials.NewValue(to.URL + path)}
		Expect(newSender(to, 0).Send(ctx, target, happened())).To(Succeed())
		Expect(to.got).To(HaveLen(1))
		Expect(to.got[0].header).To(HaveKeyWithValue("Content-Type", []string{"application/cloudevents+json"}))
		Expect(to.got[0].header).To(HaveKeyWithValue("Webhook-Id", []string{"told-1"}))
		Expect(to.got[0].header).NotTo(HaveKey("Webhook-Signature"))
		Expect(to.got[0].body).To(MatchJSON(`{
			"specversion": "1.0", "id": "told-1", "source": "/rostra", "type": "dev.rostra.notification.v1",
			"subject": "conversation-7", "time": "2026-02-28T13:30:00Z", "datacontenttype": "application/json",
			"data": {"title": "Nobody has answered"}}`))
	})

	It("carries a signature for every secret, which the library verifies", func(ctx context.Context) {
		to := newReceiver()
		target := webhook.Target{URL: credentials.NewValue(to.URL + path), Secrets: values(oldSecret, newSecret+"\n")}
		Expect(target.Check()).To(Succeed())
		Expect(newSender(to, 0).Send(ctx, target, happened())).To(Succeed())
		for _, secret := range []string{oldSecret, newSecret} {
			verifier, err := standardwebhooks.NewWebhook(secret)
			Expect(err).NotTo(HaveOccurred())
			Expect(verifier.Verify(to.got[0].body, to.got[0].header)).To(Succeed())
			Expect(verifier.Verify(append(to.got[0].body, ' '), to.got[0].header)).NotTo(Succeed())
		}
		other, err := standardwebhooks.NewWebhook("whsec_b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcg==")
		Expect(err).NotTo(HaveOccurred())
		Expect(other.Verify(to.got[0].body, to.got[0].header)).NotTo(Succeed())
	})

	It("keeps its ID from try to try, so that the receiver can fold", func(ctx context.Context) {
		to := newReceiver()
		to.answer = func(http.ResponseWriter, *http.Request) {
			if len(to.got) == 1 {
				panic(http.ErrAbortHandler) // the event arrived, and the answer is lost
			}
		}
		sender, target := newSender(to, 0), webhook.Target{URL: credentials.NewValue(to.URL + path)}
		failure := failureOf(sender.Send(ctx, target, happened()))
		Expect(failure.MaybeSent).To(BeTrue())
		Expect(failure.Permanent).To(BeFalse())
		Expect(sender.Send(ctx, target, happened())).To(Succeed())
		Expect(to.got[0].header["Webhook-Id"]).To(Equal(to.got[1].header["Webhook-Id"]))
		Expect(to.got[0].body).To(Equal(to.got[1].body))
	})
})

func failureOf(err error) *webhook.Failure {
	GinkgoHelper()
	failure, ok := errors.AsType[*webhook.Failure](err)
	Expect(ok).To(BeTrue(), "%v", err)
	for _, secret := range []string{"p4th-s3cret", oldSecret, oldSecret[6:]} {
		Expect(fmt.Sprintf("%v %+v %#v", err, err, err)).NotTo(ContainSubstring(secret))
	}
	return failure
}

var _ = Describe("An event that is refused", func() {
	DescribeTable("is classed by the status",
		func(ctx context.Context, status int, permanent bool) {
			to := newReceiver()
			to.answer = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "90")
				w.WriteHeader(status)
				_, _ = io.WriteString(w, path+oldSecret)
			}
			target := webhook.Target{URL: credentials.NewValue(to.URL + path), Secrets: values(oldSecret)}
			failure := failureOf(newSender(to, 0).Send(ctx, target, happened()))
			Expect(failure.Status).To(Equal(status))
			Expect(failure.Permanent).To(Equal(permanent))
			Expect(failure.RetryAfter).To(BeNumerically("~", 90*time.Second, 5*time.Second))
		},
		Entry(nil, http.StatusBadRequest, true),
		Entry(nil, http.StatusUnauthorized, true),
		Entry(nil, http.StatusNotFound, true),
		Entry(nil, http.StatusGone, true),
		Entry(nil, http.StatusRequestTimeout, false),
		Entry(nil, http.StatusTooEarly, false),
		Entry(nil, http.StatusTooManyRequests, false),
		Entry(nil, http.StatusInternalServerError, false),
		Entry(nil, http.StatusServiceUnavailable, false),
	)

	DescribeTable("is classed by what the network did",
		func(ctx context.Context, misbehave http.HandlerFunc, permanent bool) {
			to := newReceiver()
			to.answer = misbehave
			target := webhook.Target{URL: credentials.NewValue(to.URL + path), Secrets: values(oldSecret)}
			failure := failureOf(newSender(to, 500*time.Millisecond).Send(ctx, target, happened()))
			Expect(failure.Permanent).To(Equal(permanent))
			Expect(failure.Status).To(BeZero())
		},
		Entry("a redirect", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.example"+path, http.StatusTemporaryRedirect)
		}), true),
		Entry("silence", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), false),
	)

	DescribeTable("is sent once the status says so, whatever is said then",
		func(ctx context.Context, says http.HandlerFunc) {
			to := newReceiver()
			to.answer = says
			target := webhook.Target{URL: credentials.NewValue(to.URL + path), Secrets: values(oldSecret)}
			Expect(newSender(to, 500*time.Millisecond).Send(ctx, target, happened())).To(Succeed())
		},
		Entry("much", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(make([]byte, 1<<20))
		})),
		Entry("half of what was announced", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write(make([]byte, 10))
		})),
		Entry("nothing more, without end", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		})),
	)

	It("is not sent to an inner address", func(ctx context.Context) {
		to := newReceiver()
		client, err := httpx.New(httpx.Options{UserAgent: "rostra-test/1"})
		Expect(err).NotTo(HaveOccurred())
		sender := &webhook.Sender{HTTP: client, Clock: testclock.NewFakePassiveClock(time.Now())}
		failure := failureOf(sender.Send(ctx, webhook.Target{URL: credentials.NewValue(to.URL + path)}, happened()))
		Expect(failure.Permanent).To(BeTrue())
		Expect(httpx.KindOf(failure)).To(Equal(httpx.KindAddressRefused))
		Expect(to.got).To(BeEmpty())
	})

	DescribeTable("is not sent when it cannot be",
		func(ctx context.Context, change func(*webhook.Event, *webhook.Target), says string) {
			to := newReceiver()
			event, target := happened(), webhook.Target{URL: credentials.NewValue(to.URL + path)}
			change(&event, &target)
			failure := failureOf(newSender(to, 0).Send(ctx, target, event))
			Expect(failure.Permanent).To(BeTrue())
			Expect(failure).To(MatchError(ContainSubstring(says)))
			Expect(to.got).To(BeEmpty())
		},
		Entry("no ID", func(e *webhook.Event, _ *webhook.Target) { e.ID = "" }, "ID"),
		Entry("an ID with a line break", func(e *webhook.Event, _ *webhook.Target) { e.ID = "a\r\nb" }, "ID"),
		Entry("no type", func(e *webhook.Event, _ *webhook.Target) { e.Type = "" }, "no type"),
		Entry("no time", func(e *webhook.Event, _ *webhook.Target) { e.Time = time.Time{} }, "no time"),
		Entry("a bad source", func(e *webhook.Event, _ *webhook.Target) { e.Source = "%zz" }, "URI"),
		Entry("data that is no JSON", func(e *webhook.Event, _ *webhook.Target) { e.Data = make(chan int) }, "JSON"),
		Entry("a secret that is none", func(_ *webhook.Event, t *webhook.Target) { t.Secrets = values("hunter2") }, "whsec_"),
		Entry("a secret that is short", func(_ *webhook.Event, t *webhook.Target) { t.Secrets = values("whsec_c2hvcnQ=") }, "24 to 64"),
	)
})

var _ = DescribeTable("A target is checked without a call, and not shown",
	func(url, says string) {
		err := webhook.Target{URL: credentials.NewValue(url)}.Check()
		if says == "" {
			Expect(err).NotTo(HaveOccurred())
			return
		}
		Expect(err).To(MatchError(ContainSubstring(says)))
		Expect(err.Error()).NotTo(ContainSubstring("s3cret"))
	},
	Entry(nil, "https://desk.example/s3cret?a=b", ""),
	Entry(nil, "http://desk.team-a.svc/s3cret", ""),
	Entry(nil, "desk.example/s3cret", "https://"),
	Entry(nil, "ftp://desk.example/s3cret", "https://"),
	Entry(nil, "https://user:s3cret@desk.example/", "user name"),
	Entry(nil, "https://desk.example/#s3cret", "fragment"),
	Entry(nil, "https:///s3cret", "URL"),
	Entry(nil, "https://desk.example:s3cret/", "parsed"),
	Entry(nil, "", "https://"),
)

// FuzzTarget finds no URL that makes Check fall over or show what it was given.
func FuzzTarget(f *testing.F) {
	for _, seed := range []string{"https://desk.example/x", "https://u:p@h", "http://[::1", "https://h:99999", "\x00", "https://%zz", "whsec_"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, url, secret string) {
		const mark = "s3cretmark"
		err := webhook.Target{URL: credentials.NewValue(url + mark), Secrets: values(secret + mark)}.Check()
		if err != nil && strings.Contains(err.Error(), mark) {
			t.Fatalf("%q shows what was given", err)
		}
	})
}

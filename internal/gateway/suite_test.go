// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/gateway"
	"github.com/rostra-dev/rostra/internal/hook"
	"github.com/rostra-dev/rostra/internal/platform"
)

func TestGateway(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(10 * time.Second) // a busy machine is no failure
	RunSpecs(t, "gateway")
}

// Every spec must leave no goroutine behind. This is registered first, so it
// looks after all other clean-ups have run.
var _ = BeforeEach(func() {
	before := goleak.IgnoreCurrent()
	DeferCleanup(func() { Expect(goleak.Find(before)).To(Succeed()) })
})

const (
	base = "https://hooks.acme.example"
	// helpUID and newsUID are channels with callbacks of their own, pagesUID is
	// a platform with one callback for the channels shopUID and blogUID.
	helpUID  = "11111111-1111-4111-8111-111111111111"
	newsUID  = "22222222-2222-4222-8222-222222222222"
	pagesUID = "33333333-3333-4333-8333-333333333333"
	shopUID  = "44444444-4444-4444-8444-444444444444"
	blogUID  = "55555555-5555-4555-8555-555555555555"
	goneUID  = "66666666-6666-4666-8666-666666666666"
)

var (
	gatewayKey = []byte("0123456789abcdef0123456789abcdef")
	start      = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
)

// keysOf are the keys of a channel, by a secret.
func keysOf(secret string) credentials.Values {
	return credentials.Values{toyKey: credentials.NewValue(secret)}
}

func recordOf(hookID, uid, name, account, secret string) hook.Record {
	return hook.Record{
		Platform: "Toy", Server: "https://toy.example", HookID: hookID, Channel: "social/" + name, ChannelUID: uid,
		AccountID: account, Keys: []hook.KeySet{{Values: keysOf(secret)}},
	}
}

// sink keeps what it is given, unless it is told to fail.
type sink struct {
	mu     sync.Mutex
	calls  int
	events []event.Event
	put    func(ctx context.Context) error
}

func (s *sink) Put(ctx context.Context, events ...event.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.put != nil {
		if err := s.put(ctx); err != nil {
			return err
		}
	}
	s.events = append(s.events, events...)
	return nil
}

// world is a gateway with what is around it.
type world struct {
	*clocktesting.FakePassiveClock

	book    *hook.Book
	sink    *sink
	toy     *toy
	metrics *prometheus.Registry
	log     *logbook
	gateway *gateway.Gateway
	server  *httptest.Server
	client  *http.Client
}

func newWorld(changes ...func(*gateway.Options)) *world {
	GinkgoHelper()
	w := &world{
		FakePassiveClock: clocktesting.NewFakePassiveClock(start), book: filledBook(), sink: &sink{}, toy: &toy{},
		metrics: prometheus.NewRegistry(), log: &logbook{},
	}
	options := w.options()
	for _, change := range changes {
		change(&options)
	}
	var err error
	w.gateway, err = gateway.New(options)
	Expect(err).NotTo(HaveOccurred())
	w.server = httptest.NewServer(w.gateway.Handler())
	w.client = w.server.Client()
	DeferCleanup(w.server.Close)
	DeferCleanup(w.keepsSecrets)
	return w
}

func (w *world) options() gateway.Options {
	return gateway.Options{
		Key: gatewayKey, BaseURL: base, Hooks: w.book, Sink: w.sink, Clock: w, Logger: w.log.logger(), Metrics: w.metrics,
		Receiver: func(platformType, server string) (platform.Receiver, bool) {
			return w.toy, platformType == "Toy" && server == "https://toy.example"
		},
	}
}

func filledBook() *hook.Book {
	book := hook.NewBook()
	book.Put("help", recordOf(helpUID, helpUID, "help", "account-help", "secret-help"))
	book.Put("news", recordOf(newsUID, newsUID, "news", "account-news", "secret-news"))
	book.Put("shop", recordOf(pagesUID, shopUID, "shop", "account-shop", "secret-app"))
	book.Put("blog", recordOf(pagesUID, blogUID, "blog", "account-blog", "secret-app"))
	return book
}

// keepsSecrets looks at what a spec left in logs and metrics.
func (w *world) keepsSecrets() {
	GinkgoHelper()
	families, err := w.metrics.Gather()
	Expect(err).NotTo(HaveOccurred())
	shown := w.log.text()
	for _, family := range families {
		shown += family.String()
	}
	for _, uid := range []string{helpUID, newsUID, pagesUID, goneUID} {
		Expect(shown).NotTo(ContainSubstring(hook.Token(gatewayKey, uid)), "a token")
	}
	Expect(shown).NotTo(ContainSubstring("secret-"), "a key")
	Expect(shown).NotTo(ContainSubstring("Dear customer care"), "content")
	Expect(shown).NotTo(ContainSubstring(string(gatewayKey)), "the gateway's key")
}

// path of a callback.
func path(uid string) string { return hook.PathPrefix + "toy/" + hook.Token(gatewayKey, uid) }

// answered is what came back.
type answered struct {
	status int
	header http.Header
	body   string
}

// send makes a request of a POST with a body and the headers given.
func (w *world) send(method, target, body string, headers ...string) answered {
	GinkgoHelper()
	request, err := http.NewRequestWithContext(context.Background(), method, w.server.URL+target, strings.NewReader(body))
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	return w.do(request)
}

func (w *world) do(request *http.Request) answered {
	GinkgoHelper()
	response, err := w.client.Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	Expect(err).NotTo(HaveOccurred())
	Expect(response.Header.Get("X-Content-Type-Options")).To(Equal("nosniff"))
	Expect(response.Header.Get("Cache-Control")).To(Equal("no-store"))
	Expect(response.Header.Get("Content-Security-Policy")).To(ContainSubstring("default-src 'none'"))
	return answered{status: response.StatusCode, header: response.Header, body: string(content)}
}

// deliver sends a delivery that is signed as the toy platform does.
func (w *world) deliver(uid, secret, body string, headers ...string) answered {
	GinkgoHelper()
	return w.send(http.MethodPost, path(uid), body, append(headers, toyHeader, sign(secret, body))...)
}

// count gives the value of a counter with the labels given.
func (w *world) count(name string, labels ...string) float64 {
	GinkgoHelper()
	families, err := w.metrics.Gather()
	Expect(err).NotTo(HaveOccurred())
	sum := 0.0
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			pairs := map[string]string{}
			for _, pair := range metric.GetLabel() {
				pairs[pair.GetName()] = pair.GetValue()
			}
			matches := true
			for i := 0; i < len(labels); i += 2 {
				matches = matches && pairs[labels[i]] == labels[i+1]
			}
			if matches {
				sum += metric.GetCounter().GetValue()
			}
		}
	}
	return sum
}

func (w *world) outcomes(result string) float64 {
	GinkgoHelper()
	return w.count("rostra_gateway_deliveries_total", "result", result)
}

// logbook keeps every line, debug lines too.
type logbook struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (l *logbook) logger() logr.Logger {
	return funcr.New(func(prefix, line string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		_, _ = l.lines.WriteString(prefix + " " + line + "\n")
	}, funcr.Options{Verbosity: 10})
}

func (l *logbook) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.String()
}

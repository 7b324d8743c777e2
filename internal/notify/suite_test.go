// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/notify"
)

func TestNotify(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "notify")
}

// Every spec must leave no goroutine behind. This is registered first, so it
// looks after all other clean-ups have run.
var _ = BeforeEach(func() {
	before := goleak.IgnoreCurrent()
	DeferCleanup(func() { Expect(goleak.Find(before)).To(Succeed()) })
})

const mark = "S3CRETm4rk" // in every secret of the suite

// request is one that a fake took.
type request struct {
	path, query string
	header      http.Header
	body        []byte
}

// fake is another side, over TLS.
type fake struct {
	*httptest.Server
	mu  sync.Mutex
	got []request
}

// serve answers with what the contract says, or misbehaves.
func serve(answer func(w http.ResponseWriter, r request)) *fake {
	f := &fake{}
	f.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		took := request{r.URL.Path, r.URL.RawQuery, r.Header.Clone(), body}
		f.mu.Lock()
		f.got = append(f.got, took)
		f.mu.Unlock()
		answer(w, took)
	}))
	f.Config.ErrorLog = log.New(io.Discard, "", 0)
	f.StartTLS()
	DeferCleanup(f.Close)
	return f
}

func (f *fake) requests() []request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.got
}

func (f *fake) host() string { return strings.TrimPrefix(f.URL, "https://") }

// status answers with one, and says more than it should.
func status(code int) func(http.ResponseWriter, request) {
	return func(w http.ResponseWriter, r request) {
		w.Header().Set("Retry-After", "77")
		w.WriteHeader(code)
		_, _ = fmt.Fprintf(w, `{"message":"%s %s"}`, r.path, mark)
	}
}

// newClient may call loopback, and trusts the fake.
func newClient(f *fake, changes ...func(*httpx.Options)) *httpx.Client {
	GinkgoHelper()
	options := httpx.Options{
		UserAgent: "rostra-test/1", AccountBurst: 1000, BreakerAfter: 1000,
		AllowedPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	}
	if f != nil {
		options.RootCAs = x509.NewCertPool()
		options.RootCAs.AddCert(f.Certificate())
	}
	for _, change := range changes {
		change(&options)
	}
	client, err := httpx.New(options)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(client.CloseIdleConnections)
	return client
}

func newOpener(f *fake, changes ...func(*httpx.Options)) *notify.Opener {
	GinkgoHelper()
	opener, err := notify.New(notify.Options{HTTP: newClient(f, changes...), From: "Rostra <rostra@brand.example>"})
	Expect(err).NotTo(HaveOccurred())
	if f != nil {
		opener.Place(f.URL, f.URL+"/eu", f.URL)
	}
	return opener
}

func address(url string, extra ...string) notify.Address {
	a := notify.Address{URL: credentials.NewValue(url), Extra: credentials.Values{}}
	for i := 0; i < len(extra); i += 2 {
		a.Extra[extra[i]] = credentials.NewValue(extra[i+1])
	}
	return a
}

func open(opener *notify.Opener, a notify.Address) notify.Notifier {
	GinkgoHelper()
	notifier, err := opener.Open(a)
	Expect(err).NotTo(HaveOccurred())
	Expect(notify.Ways()).To(ContainElement(notifier.Way()))
	return notifier
}

func told() notify.Message {
	at := time.Date(2026, 3, 1, 13, 30, 0, 0, time.UTC)
	return notify.Message{
		ID: "conversation-7/step-1", Incident: "conversation-7", Urgency: notify.High,
		Title:   "Nobody has answered @help on Bluesky for 15 min",
		Facts:   []notify.Fact{{Name: "Where", Value: "brand-eu/help"}, {Name: "Owner", Value: "R&D <care>"}},
		Excerpt: "my order never came\n<!channel> *now*", Link: "https://bsky.app/profile/a/post/1",
		Acknowledge: "https://rostra.brand.example/ack/" + mark, At: at, Until: at.Add(time.Hour),
		Labels: map[string]string{"namespace": "brand-eu", "channel": "help", "step": "1"},
		Team:   "care", Member: "maria", Email: "maria@brand.example",
	}
}

// failureOf finds the Failure, which shows no secret however it is printed.
func failureOf(err error) *notify.Failure {
	GinkgoHelper()
	failure, ok := errors.AsType[*notify.Failure](err)
	Expect(ok).To(BeTrue(), "%v", err)
	for e := error(failure); e != nil; e = errors.Unwrap(e) {
		Expect(fmt.Sprintf("%v %+v %#v", e, e, e)).NotTo(ContainSubstring(mark))
	}
	return failure
}

// inner resolves nothing.
func inner() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("there is no DNS in this test")
	}}
}

// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package forward_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/forward"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/webhook"
)

const (
	oldSecret = "whsec_b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xk"
	newSecret = "whsec_bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3"
	hiddenWay = "/in/p4th-s3cret"
)

// desk is a team's help desk: it takes what is signed with its secret, and
// keeps each event once.
type desk struct {
	*httptest.Server
	secret string

	mu     sync.Mutex
	first  []string // IDs in the order in which they came first
	bodies map[string]envelope
	// answer, where it is set, is asked instead.
	answer http.HandlerFunc
}

// envelope is what the desk reads of a CloudEvent.
type envelope struct {
	SpecVersion string          `json:"specversion"`
	ID          string          `json:"id"`
	Type        string          `json:"type"`
	Source      string          `json:"source"`
	Subject     string          `json:"subject"`
	Data        forward.Content `json:"data"`
}

func newDesk(secret string) *desk {
	d := &desk{secret: secret, bodies: map[string]envelope{}}
	d.Server = httptest.NewUnstartedServer(http.HandlerFunc(d.take))
	d.Config.ErrorLog = log.New(io.Discard, "", 0)
	d.StartTLS()
	DeferCleanup(d.Close)
	return d
}

func (d *desk) take(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.answer != nil {
		d.answer(w, r)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	verifier, err := standardwebhooks.NewWebhook(d.secret)
	var e envelope
	switch {
	case err != nil, r.URL.Path != hiddenWay, verifier.Verify(body, r.Header) != nil:
		w.WriteHeader(http.StatusUnauthorized)
	case json.Unmarshal(body, &e) != nil, e.ID != r.Header.Get(standardwebhooks.HeaderWebhookID), e.SpecVersion != "1.0":
		w.WriteHeader(http.StatusBadRequest)
	default:
		if _, known := d.bodies[e.ID]; !known {
			d.first, d.bodies[e.ID] = append(d.first, e.ID), e
		}
		w.WriteHeader(http.StatusAccepted)
	}
}

func (d *desk) answers(answer http.HandlerFunc) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answer = answer
}

// ids that the desk has, in the order in which they came.
func (d *desk) ids() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.first)
}

// has gives what came under an ID.
func (d *desk) has(id string) envelope {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.bodies[id]
}

// company is a world with a real inbox and real desks.
type company struct {
	*world

	dir    string
	desks  map[string]*desk
	client *httpx.Client
	inbox  *inbox.Inbox
	stop   func()
}

func newCompany() *company {
	GinkgoHelper()
	c := &company{world: newWorld(), dir: GinkgoT().TempDir(), desks: map[string]*desk{care: newDesk(oldSecret), press: newDesk(newSecret)}}
	roots := x509.NewCertPool()
	for team, d := range c.desks {
		roots.AddCert(d.Certificate())
		target, err := forward.Target(d.URL+hiddenWay, d.secret)
		Expect(err).NotTo(HaveOccurred())
		c.directory.sinks[team] = target
	}
	var err error
	c.client, err = httpx.New(httpx.Options{
		UserAgent: "rostra-test/1", RootCAs: roots, Timeout: 2 * time.Second, AccountRate: 10_000, AccountBurst: 10_000,
		AllowedPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(c.client.CloseIdleConnections)
	DeferCleanup(func() {
		for _, text := range append(c.said.list(), c.log.String()) {
			Expect(text).NotTo(Or(ContainSubstring("p4th"), ContainSubstring(oldSecret[6:]), ContainSubstring(newSecret[6:]), ContainSubstring("hello ")))
		}
	})
	return c
}

// begin opens the inbox and forwards, as a process does when it starts.
func (c *company) begin() {
	GinkgoHelper()
	ctx, cancel := context.WithCancel(context.Background())
	var err error
	c.inbox, err = inbox.Open(ctx, inbox.Options{Dir: c.dir, Logger: c.log.logger()})
	Expect(err).NotTo(HaveOccurred())
	box, err := c.inbox.Outbox(ctx, inbox.OutboxOptions{Name: "sinks"})
	Expect(err).NotTo(HaveOccurred())
	options := c.options()
	options.Events, options.Outbox = c.inbox, box
	options.Sender = &webhook.Sender{HTTP: c.client, Clock: clock.RealClock{}}
	options.Metrics = nil
	c.forwarder, err = forward.New(options)
	Expect(err).NotTo(HaveOccurred())
	ended := make(chan error, 1)
	go func() { ended <- c.forwarder.Start(ctx) }()
	c.stop = sync.OnceFunc(func() {
		cancel()
		Eventually(ended).Should(Receive(BeNil()))
		Expect(c.inbox.Close()).To(Succeed())
	})
	DeferCleanup(c.stop)
}

// mentions in some threads of a channel.
func mentions(uid string, from, to, threads int) []event.Event {
	var all []event.Event
	for n := from; n <= to; n++ {
		all = append(all, mention(uid, fmt.Sprintf("t%d", n%threads), n))
	}
	return all
}

// inOrder are the events of each thread in a list of IDs, which have to be in
// their order.
func inOrder(uid string, ids []string, threads int) {
	GinkgoHelper()
	for n := range threads {
		thread := fmt.Sprintf("t%d", n)
		var numbers []int
		for _, id := range in(ids, uid+"/"+thread+"-") {
			var number int
			_, err := fmt.Sscanf(strings.TrimPrefix(id, uid+"/"+thread+"-"), "%d", &number)
			Expect(err).NotTo(HaveOccurred())
			numbers = append(numbers, number)
		}
		Expect(slices.IsSorted(numbers)).To(BeTrue(), "thread %s came as %v", thread, numbers)
	}
}

var _ = Describe("Forwarding from the inbox over HTTP", func() {
	It("brings every event to its team's desk, signed, and in the order of each conversation", func(ctx context.Context) {
		c := newCompany()
		c.begin()
		Expect(c.inbox.Put(ctx, append(mentions(helpUID, 1, 60, 5), mentions(newsUID, 1, 60, 5)...)...)).To(Succeed())
		Eventually(c.desks[care].ids).Should(HaveLen(60))
		Eventually(c.desks[press].ids).Should(HaveLen(60))
		inOrder(helpUID, c.desks[care].ids(), 5)
		inOrder(newsUID, c.desks[press].ids(), 5)
		e := c.desks[care].has(idOf(helpUID, "t1", 1))
		Expect(e.Type).To(Equal("dev.rostra.event.mention.v1"))
		Expect(e.Subject).To(Equal("t1"))
		Expect(e.Source).To(HaveSuffix("/namespaces/social/socialchannels/acme-help"))
		Expect(e.Data.Event.Text).To(Equal("hello 1"))
		Expect(e.Data.Channel.Owner).To(Equal(care))
	})

	It("is as the documentation shows", func(ctx context.Context) {
		page, err := os.ReadFile("../../docs/event-sinks.md")
		Expect(err).NotTo(HaveOccurred())
		_, shown, found := strings.Cut(string(page), "```json\n")
		Expect(found).To(BeTrue())
		shown, _, _ = strings.Cut(shown, "```")
		var e envelope
		Expect(json.Unmarshal([]byte(shown), &e)).To(Succeed())

		c := newCompany()
		var body bytes.Buffer
		c.desks[care].answers(func(_ http.ResponseWriter, r *http.Request) { _, _ = body.ReadFrom(r.Body) })
		c.directory.owners[e.Data.Channel.UID] = care
		c.begin()
		Expect(c.inbox.Put(ctx, e.Data.Event)).To(Succeed())
		Eventually(func() string {
			c.desks[care].mu.Lock()
			defer c.desks[care].mu.Unlock()
			return body.String()
		}).Should(MatchJSON(strings.Replace(shown, `"owner": "customer-care"`, `"owner": "care"`, 1)))
	})

	It("switches at a hand-over, and each event goes to exactly one desk, in order, also over a restart", Label("S3"), func(ctx context.Context) {
		c := newCompany()
		c.begin()
		const each, threads = 30, 3
		for round := range 3 {
			owner := []string{care, press}[round%2]
			before := len(c.desks[owner].ids())
			c.directory.change(func() { c.directory.owners[helpUID] = owner })
			Expect(c.inbox.Put(ctx, mentions(helpUID, round*each+1, (round+1)*each, threads)...)).To(Succeed())
			if round == 1 { // some are routed, and the process ends
				Eventually(c.desks[owner].ids).ShouldNot(HaveLen(before))
				c.stop()
				c.begin()
			}
			Eventually(c.desks[owner].ids).Should(HaveLen(before + each))
		}
		Expect(append(c.desks[care].ids(), c.desks[press].ids()...)).To(HaveLen(3 * each))
		for _, id := range c.desks[care].ids() {
			Expect(c.desks[press].ids()).NotTo(ContainElement(id))
		}
		inOrder(helpUID, c.desks[care].ids(), threads)
		inOrder(helpUID, c.desks[press].ids(), threads)
	})

	It("keeps what a dead desk did not take, over a restart, and nobody else waits", func(ctx context.Context) {
		c := newCompany()
		c.desks[care].answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
		c.begin()
		Expect(c.inbox.Put(ctx, append(mentions(helpUID, 1, 20, 3), mentions(newsUID, 1, 20, 3)...)...)).To(Succeed())
		Eventually(c.desks[press].ids).Should(HaveLen(20))
		c.stop()
		c.desks[care].answers(nil)
		c.begin()
		Eventually(c.desks[care].ids).Should(HaveLen(20))
		inOrder(helpUID, c.desks[care].ids(), 3)
	})

	It("waits for a desk that is slow, and sends the same ID again", func(ctx context.Context) {
		c := newCompany()
		asked := make(chan string, 100)
		c.desks[care].answers(func(_ http.ResponseWriter, r *http.Request) {
			// The server notices that the caller has gone once the body is read.
			_, _ = io.Copy(io.Discard, r.Body)
			asked <- r.Header.Get(standardwebhooks.HeaderWebhookID)
			<-r.Context().Done()
		})
		c.begin()
		Expect(c.inbox.Put(ctx, mention(helpUID, "t", 1))).To(Succeed())
		Eventually(asked).Should(Receive(Equal(idOf(helpUID, "t", 1))))
		c.desks[care].answers(nil)
		Eventually(c.desks[care].ids).Should(Equal(idsOf(helpUID, "t", 1, 1)))
	})

	It("signs with the old and the new secret while one is replaced", func(ctx context.Context) {
		c := newCompany()
		target, err := forward.Target(c.desks[care].URL+hiddenWay, newSecret+"\n"+oldSecret)
		Expect(err).NotTo(HaveOccurred())
		c.directory.sinks[care] = target
		c.begin()
		Expect(c.inbox.Put(ctx, mention(helpUID, "t", 1))).To(Succeed())
		Eventually(c.desks[care].ids).Should(HaveLen(1))
		c.desks[care].mu.Lock()
		c.desks[care].secret = newSecret
		c.desks[care].mu.Unlock()
		Expect(c.inbox.Put(ctx, mention(helpUID, "t", 2))).To(Succeed())
		Eventually(c.desks[care].ids).Should(HaveLen(2))
	})

	DescribeTable("says what somebody has to mend, at once and without a secret, and sends nothing elsewhere",
		func(ctx context.Context, change func(c *company), problem string) {
			c := newCompany()
			change(c)
			c.begin()
			Expect(c.inbox.Put(ctx, mention(helpUID, "t", 1), mention(newsUID, "t", 1))).To(Succeed())
			Eventually(c.said.list).Should(ConsistOf(And(HavePrefix(care+" since"), ContainSubstring(problem))))
			Eventually(c.desks[press].ids).Should(Equal(idsOf(newsUID, "t", 1, 1)))
			Expect(c.desks[care].ids()).To(BeEmpty())
		},
		Entry("a wrong secret", func(c *company) {
			c.directory.sinks[care].Secrets = c.directory.sinks[press].Secrets
		}, "answered 401"),
		Entry("a redirect, which is not followed", func(c *company) {
			c.desks[care].answers(func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, c.desks[press].URL+hiddenWay, http.StatusTemporaryRedirect)
			})
		}, "redirects are not followed"),
		Entry("a receiver that was removed", func(c *company) {
			c.desks[care].answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })
		}, "wants no more"),
		Entry("a private address", func(c *company) {
			target, err := forward.Target("https://169.254.169.254/in/p4th-s3cret", oldSecret)
			Expect(err).NotTo(HaveOccurred())
			c.directory.sinks[care] = target
		}, "169.254.169.254"),
	)

	It("is not impressed by a desk that sends back more than anybody reads", func(ctx context.Context) {
		c := newCompany()
		c.desks[care].answers(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.Copy(w, io.LimitReader(endless{}, 8<<20))
		})
		c.begin()
		Expect(c.inbox.Put(ctx, mention(helpUID, "t", 1), mention(newsUID, "t", 1))).To(Succeed())
		Eventually(c.desks[press].ids).Should(HaveLen(1))
		c.desks[care].answers(nil)
		Eventually(c.desks[care].ids).Should(HaveLen(1))
	})
})

// endless is an answer without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

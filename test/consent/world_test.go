// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package consent_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"sync"
	"time"

	"github.com/go-logr/logr/funcr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/connect"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/test/browser"
)

const channelUID = "0b0c7a5e-6a0e-4d3c-9a55-0f2f3a1c0001"

// gateway is Rostra's side: the handler, and a store in memory for one channel.
type gateway struct {
	key []byte

	mu        sync.Mutex
	subject   connect.Subject
	pending   map[string]connect.Pending // by state
	connected *connected
	log       bytes.Buffer
}

type connected struct {
	source, session credentials.Values
	identity        platform.Identity
}

func newGateway() *gateway {
	g := &gateway{key: []byte(rand.Text() + rand.Text()), pending: map[string]connect.Pending{}}
	handler, err := connect.New(connect.Options{
		Key: g.key, BaseURL: parts.gateway.URL, Store: g, Clock: clock.RealClock{},
		Logger: funcr.New(func(_, args string) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.log.WriteString(args + "\n")
		}, funcr.Options{}),
	})
	Expect(err).NotTo(HaveOccurred())
	parts.handler.Store(&handler)
	return g
}

// serve makes the adapter's account the one to be connected.
func (g *gateway) serve(subject connect.Subject, adapter platform.Platform) {
	authorizer, can := adapter.(platform.Authorizer)
	Expect(can).To(BeTrue())
	subject.Channel, subject.UID, subject.Owner = "social/acme-help", channelUID, "customer-care"
	subject.PlatformName, subject.Offered = platformName, true
	subject.Authorizer, subject.Adapter = authorizer, adapter
	g.subject = subject
}

// platformName is the name of the SocialPlatform that every account is on.
const platformName = "social"

func (g *gateway) callback() string { return parts.gateway.URL + "/connect/callback/" + platformName }

func (g *gateway) link() string {
	return connect.StartURL(parts.gateway.URL, g.key, channelUID, time.Now().Add(time.Hour))
}

func (g *gateway) Subject(_ context.Context, uid string) (*connect.Subject, error) {
	if uid != channelUID {
		return nil, connect.ErrUnknown
	}
	subject := g.subject
	return &subject, nil
}

func (g *gateway) Begin(_ context.Context, _ string, pending connect.Pending) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pending[pending.StateHash] = pending
	return nil
}

func (g *gateway) Take(_ context.Context, _, stateHash string) (connect.Pending, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	pending, ok := g.pending[stateHash]
	if !ok {
		return connect.Pending{}, connect.ErrNoPending
	}
	delete(g.pending, stateHash)
	return pending, nil
}

func (g *gateway) Connected(_ context.Context, _ string, source, session credentials.Values, identity platform.Identity) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.connected = &connected{source, session, identity}
	return nil
}

// stored is what the channel has in the end, or nil.
func (g *gateway) stored() *connected {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.connected
}

// logged is what the handler wrote to the log.
func (g *gateway) logged() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.log.String()
}

// person is somebody with a browser of their own.
type person struct {
	page *browser.Page
}

func newPerson(ctx context.Context) person {
	GinkgoHelper()
	page, err := parts.browser.Open(ctx, false)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(page.Close)
	return person{page}
}

func (p person) opens(ctx context.Context, url string) int {
	GinkgoHelper()
	status, err := p.page.Goto(ctx, url)
	Expect(err).NotTo(HaveOccurred())
	return status
}

func (p person) fills(ctx context.Context, label, text string) {
	GinkgoHelper()
	Expect(p.page.Fill(ctx, label, text)).To(Succeed())
}

func (p person) clicks(ctx context.Context, role, name string) {
	GinkgoHelper()
	Expect(p.page.Click(ctx, role, name)).To(Succeed())
}

// arrives waits for the page with this heading, and gives its text.
func (p person) arrives(ctx context.Context, heading string) string {
	GinkgoHelper()
	Eventually(p.page.Tree).WithContext(ctx).Should(ContainElement(And(HaveField("Role", "heading"), HaveField("Name", heading))))
	text, err := p.page.Text(ctx)
	Expect(err).NotTo(HaveOccurred())
	return text
}

func (p person) url(ctx context.Context) string {
	GinkgoHelper()
	url, err := p.page.URL(ctx)
	Expect(err).NotTo(HaveOccurred())
	return url
}

// tabsTo presses Tab until the focus is on what has this role and name.
func (p person) tabsTo(ctx context.Context, role, name string) {
	GinkgoHelper()
	var seen []browser.Node
	for range 20 {
		Expect(p.page.Press(ctx, "Tab")).To(Succeed())
		focused, err := p.page.Focused(ctx)
		Expect(err).NotTo(HaveOccurred())
		if focused.Role == role && focused.Name == name {
			return
		}
		seen = append(seen, focused)
	}
	Fail("the keyboard does not reach the " + role + " " + name + "; it reached " + describe(seen))
}

func describe(nodes []browser.Node) string {
	text := ""
	for _, node := range nodes {
		text += node.Role + " " + node.Name + ", "
	}
	return text
}

func (p person) presses(ctx context.Context, key string) {
	GinkgoHelper()
	Expect(p.page.Press(ctx, key)).To(Succeed())
}

func (p person) types(ctx context.Context, text string) {
	GinkgoHelper()
	Expect(p.page.Type(ctx, text)).To(Succeed())
}

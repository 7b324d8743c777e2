// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance"
	"github.com/rostra-dev/rostra/internal/platform/meta"
	metafake "github.com/rostra-dev/rostra/test/fakes/meta"
)

const (
	metaRedirect = "https://rostra.acme.example/connect/callback"
	metaPathHook = "/hooks/meta/c4llb4ck-t0ken-0f-the-suite"
)

var _ = Describe("Meta", func() {
	conformance.Describe("the adapter with a person's token", func(SpecContext) conformance.Subject {
		return metaSubject(func(w *metaWorld) string { return w.fake.IssueUserToken(w.app, w.maria) }, true)
	}, "meta")

	conformance.Describe("the adapter with a system user's token", func(SpecContext) conformance.Subject {
		return metaSubject(func(w *metaWorld) string { return w.fake.IssueSystemToken(w.app, w.robot) }, false)
	}, "meta")

	conformance.Describe("the adapter with a Page's token", func(SpecContext) conformance.Subject {
		return metaSubject(func(w *metaWorld) string { return w.fake.IssuePageToken(w.app, w.maria, w.help) }, false)
	}, "meta")

	conformance.Describe("the adapter that lists with the application's token", func(SpecContext) conformance.Subject {
		subject := metaSubject(func(w *metaWorld) string { return w.fake.IssueUserToken(w.app, w.maria) }, true)
		plain := subject.New
		subject.New = func() platform.Platform {
			adapter := plain()
			lister, err := adapter.(platform.ApplicationLister).Lister(subject.Good.Declared.Application)
			Expect(err).NotTo(HaveOccurred())
			return withLister{adapter, lister}
		}
		return subject
	}, "meta")
})

// withLister is the adapter, which lists with one application's credential.
type withLister struct {
	platform.Platform
	platform.AccountLister
}

// metaWorld is a company's at the fake.
type metaWorld struct {
	fake         *metafake.Server
	app          metafake.App
	maria, robot metafake.User
	stranger     metafake.User
	help, news   metafake.Page
	post         metafake.Post
	gateway      *metaGateway
	// longUntil is when long-lived user tokens end.
	longUntil time.Time
}

func newMetaWorld(options ...metafake.Option) *metaWorld {
	GinkgoHelper()
	w := &metaWorld{longUntil: time.Now().Add(60 * 24 * time.Hour).Truncate(time.Second).UTC()}
	w.fake = metafake.New(append([]metafake.Option{metafake.WithLongLivedUntil(w.longUntil), metafake.WithProofRequired()}, options...)...)
	DeferCleanup(w.fake.Close)
	w.app = w.fake.AddApp("Acme Rostra", metaRedirect)
	w.maria, w.robot, w.stranger = w.fake.AddUser("Maria"), w.fake.AddSystemUser("rostra"), w.fake.AddUser("Anna Customer")
	w.help = w.fake.AddPage("Acme.Help", "Acme Help", w.maria, w.robot)
	w.news = w.fake.AddPage("acmenews", "Acme News", w.maria, w.robot)
	w.gateway = newMetaGateway()
	var err error
	w.post, err = w.fake.Publish(context.Background(), w.help, "We are here from nine to five.")
	Expect(err).NotTo(HaveOccurred())
	return w
}

// application is what Rostra is at the fake, with a token for discovery.
func (w *metaWorld) application() credentials.Values {
	return credentials.Values{
		"client-id":     credentials.NewValue(w.app.ID),
		"client-secret": credentials.NewValue(w.app.Secret + "\n"),
		"access-token":  credentials.NewValue(w.fake.IssueSystemToken(w.app, w.robot)),
	}
}

func (w *metaWorld) declared(page metafake.Page, handle, token string) platform.Account {
	return platform.Account{
		Handle: handle, ID: page.ID, Application: w.application(),
		Source: credentials.Values{"access-token": credentials.NewValue(token + "\n")},
	}
}

// happen makes something happen to the Page help.
func (w *metaWorld) happen(ctx context.Context, kind event.Kind) error {
	switch kind {
	case event.OwnPost:
		_, err := w.fake.Publish(ctx, w.help, "Our help desk is open.")
		return err
	case event.Mention:
		_, err := w.fake.Tag(ctx, w.help, w.stranger, "Look what @Acme Help did")
		return err
	case event.Reply:
		_, err := w.fake.Comment(ctx, w.help, w.post, w.stranger, "Where is my parcel?")
		return err
	case event.DirectMessage:
		return w.fake.Message(ctx, w.help, w.stranger, "My number is 4711")
	case event.AuthorizationLost, event.HandleChanged, event.TokenExpiring, event.Other:
	}
	return errors.ErrUnsupported
}

func metaSubject(issue func(*metaWorld) string, renews bool) conformance.Subject {
	GinkgoHelper()
	w := newMetaWorld()
	subject := conformance.Subject{
		New:   func() platform.Platform { return newMetaAdapter(w.fake.URL(), clock.RealClock{}) },
		Clock: clock.RealClock{},
		Server: conformance.Server{
			Faults: w.fake.Faults(),
			Events: &conformance.Events{
				Callback:  w.gateway.callback(),
				Happen:    w.happen,
				Delivered: w.gateway.delivered,
				Forget:    func(context.Context) error { w.fake.Unhook(w.app, w.help); return nil },
			},
			Consent: &conformance.Consent{
				RedirectURL: metaRedirect,
				Give: func(ctx context.Context, authorizationURL string) (string, error) {
					return w.fake.Consent(ctx, authorizationURL, metafake.Choice{User: w.maria, Pages: []metafake.Page{w.help}})
				},
			},
		},
	}
	token := issue(w)
	subject.Good = w.account(w.help, "@ACME.help", token, "acmehelp", renews)
	subject.Other = w.account(w.news, "acme.news", w.fake.IssueLongLivedToken(w.app, w.maria), "acmenews", true)
	subject.Wrong = w.account(w.help, "acmehelp", "EAAa-token-of-another-server-Xy12", "acmehelp", renews)
	subject.Server.WithdrawSource = func(context.Context) error {
		for _, user := range []metafake.User{w.maria, w.robot} {
			w.fake.Kill(user, metafake.AppRemoved)
		}
		other := w.fake.AddUser("Olaf")
		w.fake.GiveTask(other, w.news)
		subject.Other.Declared.Source["access-token"] = credentials.NewValue(w.fake.IssueLongLivedToken(w.app, other))
		return nil
	}
	w.gateway.adapter, w.gateway.account = newMetaAdapter(w.fake.URL(), clock.RealClock{}), subject.Good.Declared
	return subject
}

// account declares one; its application's keys are secret, too.
func (w *metaWorld) account(page metafake.Page, handle, token, normalised string, renews bool) conformance.Account {
	declared := w.declared(page, handle, token)
	identity := platform.Identity{AccountID: page.ID, Handle: normalised, DisplayName: page.Name, Renews: renews}
	if renews {
		identity.RenewAt = w.longUntil.Add(-14 * 24 * time.Hour)
	}
	return conformance.Account{
		Declared: declared, Identity: identity,
		Secrets: []string{token, w.app.Secret, declared.Application.Get("access-token")},
	}
}

func newMetaAdapter(server string, at clock.PassiveClock) *meta.Adapter {
	GinkgoHelper()
	client, err := httpx.New(httpx.Options{
		UserAgent:      "rostra-test",
		Timeout:        time.Second,
		AllowedPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		AccountRate:    1000,
		AccountBurst:   1000,
		// The suite breaks the server on purpose, and counts on it afterwards.
		BreakerAfter: 1000,
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(client.CloseIdleConnections)
	made, err := meta.NewFactory(client, at)(server)
	Expect(err).NotTo(HaveOccurred())
	return made.(*meta.Adapter)
}

// metaGateway is the callback: it answers handshakes as the gateway does, and
// keeps what is delivered.
type metaGateway struct {
	server  *httptest.Server
	adapter *meta.Adapter
	account platform.Account

	mu   sync.Mutex
	kept []platform.Delivery
}

func newMetaGateway() *metaGateway {
	GinkgoHelper()
	g := &metaGateway{}
	g.server = httptest.NewServer(g)
	DeferCleanup(g.server.Close)
	return g
}

func (g *metaGateway) callback() string { return g.server.URL + metaPathHook }

// ServeHTTP implements http.Handler.
func (g *metaGateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	keys, _, keyErr := g.adapter.HookKeys(g.account)
	if err != nil || keyErr != nil || !strings.HasPrefix(r.URL.Path, metaPathHook) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	delivery := platform.Delivery{
		Method: r.Method, Query: r.URL.Query(), Header: r.Header, Body: body, URL: g.callback(), ReceivedAt: time.Now(),
	}
	answer, asked, err := g.adapter.Handshake(delivery, []credentials.Values{keys})
	switch {
	case err != nil:
		w.WriteHeader(http.StatusForbidden)
		return
	case !asked:
		g.mu.Lock()
		g.kept = append(g.kept, delivery)
		g.mu.Unlock()
		answer = g.adapter.Accepted()
	}
	w.Header().Set("Content-Type", answer.ContentType)
	w.WriteHeader(answer.Status)
	_, _ = w.Write(answer.Body)
}

func (g *metaGateway) delivered(context.Context) ([]platform.Delivery, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	kept := g.kept
	g.kept = nil
	return kept, nil
}

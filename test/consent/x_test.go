// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package consent_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/connect"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/x"
	xfake "github.com/rostra-dev/rostra/test/fakes/x"
	"github.com/rostra-dev/rostra/test/oidc"
)

const (
	helpID, otherID = "2244994945", "783214"
	password        = "correct horse battery staple"
)

// xServer is X: the OAuth half is the real authorisation server, the rest is
// the strict fake, which asks the real server whose a token is.
type xServer struct {
	front *httptest.Server

	mu   sync.Mutex
	last string // access token that the fake asked about last
}

// oauthOptions make the server's endpoints those of X
// (https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code).
func oauthOptions(callback string) oidc.Options {
	return oidc.Options{
		Client: oidc.Client{ID: "rostra-application", Secret: "application-secret", RedirectURIs: []string{callback}},
		Accounts: []oidc.Account{
			{ID: helpID, Login: "acme_help", Password: password}, {ID: otherID, Login: "acme_other", Password: password},
		},
		Scopes:            []string{"tweet.read", "tweet.write", "users.read", "offline.access", "dm.read", "dm.write"},
		OfflineScope:      "offline.access",
		AuthorizationPath: "/i/oauth2/authorize", TokenPath: "/2/oauth2/token", RevocationPath: "/2/oauth2/revoke",
		Log: GinkgoWriter,
	}
}

func newX(g *gateway) *xServer {
	GinkgoHelper()
	server := &xServer{}
	fake := xfake.New(xfake.WithTokenUser(server.user))
	DeferCleanup(fake.Close)
	fake.AddAccountAs(helpID, "acme_help")
	fake.AddAccountAs(otherID, "acme_other")

	mux := http.NewServeMux()
	for _, path := range []string{"/i/oauth2/", "/2/oauth2/", "/interaction/"} {
		mux.Handle(path, to(parts.oauth.URL()))
	}
	mux.Handle("/", to(fake.URL()))
	server.front = httptest.NewServer(mux)
	DeferCleanup(server.front.Close)

	adapter, err := x.NewFactory(parts.outbound, clock.RealClock{})(server.front.URL)
	Expect(err).NotTo(HaveOccurred())
	g.serve(connect.Subject{
		Handle: "@acme_help", AccountID: helpID, Platform: "X", Server: server.front.URL,
		Application: credentials.Values{
			platform.ApplicationID: credentials.NewValue("rostra-application"), platform.ApplicationSecret: credentials.NewValue("application-secret"),
		},
	}, adapter)
	return server
}

// to passes requests on. The host stays the one that the browser asked, of
// which the servers make their URLs.
func to(server string) http.Handler {
	GinkgoHelper()
	target, err := url.Parse(server)
	Expect(err).NotTo(HaveOccurred())
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}}
}

// user tells whose a token is that the real server has given.
func (s *xServer) user(ctx context.Context, access string) (userID string, scopes []string, ok bool) {
	token, err := parts.oauth.Introspect(ctx, access)
	if err != nil || !token.Active {
		return "", nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = access
	return token.AccountID, token.Scopes(), true
}

// lastSeen is the access token that was used last while it worked.
func (s *xServer) lastSeen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// signsIn goes from the link to the consent page.
func (p person) signsIn(ctx context.Context, g *gateway, login string) {
	GinkgoHelper()
	Expect(p.opens(ctx, g.link())).To(Equal(http.StatusOK))
	p.clicks(ctx, "button", "Continue to X")
	p.arrives(ctx, "Sign in")
	p.fills(ctx, "User name", login)
	p.fills(ctx, "Password", password)
	p.clicks(ctx, "button", "Sign in")
	p.arrives(ctx, "Authorise an application")
}

var _ = Describe("Connecting an account of X", func() {
	var g *gateway
	var server *xServer
	var somebody person
	BeforeEach(func(ctx context.Context) {
		g = newGateway()
		server = newX(g)
		somebody = newPerson(ctx)
	})

	It("stores what the owner grants", func(ctx context.Context) {
		somebody.signsIn(ctx, g, "acme_help")
		cookies, err := somebody.page.Cookies(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(cookies).To(ContainElement(And(
			HaveField("Name", HavePrefix("__Host-rostra-connect-")), HaveField("Secure", true), HaveField("HTTPOnly", true), HaveField("SameSite", "Lax"))))

		somebody.clicks(ctx, "button", "Authorise")
		text := somebody.arrives(ctx, "Connected: acme_help")
		Expect(text).To(And(ContainSubstring("The account is connected."), ContainSubstring(helpID), ContainSubstring("team customer-care"), ContainSubstring("The acme_help desk")))

		stored := g.stored()
		Expect(stored).NotTo(BeNil())
		Expect(stored.identity.AccountID).To(Equal(helpID))
		current := stored.source
		if stored.session != nil { // it was renewed on the way
			current = stored.session
		}
		for _, key := range []string{"access-token", "refresh-token"} {
			Expect(current.Get(key)).NotTo(BeEmpty())
			token, err := parts.oauth.Introspect(ctx, current.Get(key))
			Expect(err).NotTo(HaveOccurred())
			Expect(token.Active).To(BeTrue(), key)
			Expect(token.AccountID).To(Equal(helpID))
			Expect(text + g.logged()).NotTo(ContainSubstring(current.Get(key)))
		}
		cookies, err = somebody.page.Cookies(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(cookies).NotTo(ContainElement(HaveField("Name", ContainSubstring("rostra-connect"))))
	})

	It("goes on working with what was stored", func(ctx context.Context) {
		somebody.signsIn(ctx, g, "acme_help")
		somebody.clicks(ctx, "button", "Authorise")
		somebody.arrives(ctx, "Connected: acme_help")
		stored := g.stored()
		kept := &keptSession{values: stored.session}
		identity, err := g.subject.Adapter.Verify(ctx, platform.Account{
			Handle: "acme_help", ID: helpID, Source: stored.source, Application: g.subject.Application, Sessions: kept,
		})
		Expect(err).NotTo(HaveOccurred())
		Expect(identity.AccountID).To(Equal(helpID))
	})

	It("takes a no", func(ctx context.Context) {
		somebody.signsIn(ctx, g, "acme_help")
		somebody.clicks(ctx, "button", "Cancel")
		Expect(somebody.arrives(ctx, "You did not agree")).To(ContainSubstring("nothing has changed"))
		Expect(g.stored()).To(BeNil())
		somebody.clicks(ctx, "link", "Start again")
		somebody.arrives(ctx, "Connect @acme_help on X")
	})

	It("refuses another account, and ends what it granted", func(ctx context.Context) {
		somebody.signsIn(ctx, g, "acme_other")
		somebody.clicks(ctx, "button", "Authorise")
		text := somebody.arrives(ctx, "This is another account")
		Expect(text).To(And(ContainSubstring("This is acme_other; the channel is for @acme_help."), ContainSubstring("sign in as @acme_help and try again"), ContainSubstring("was ended at X")))
		Expect(g.stored()).To(BeNil())
		token, err := parts.oauth.Introspect(ctx, server.lastSeen())
		Expect(err).NotTo(HaveOccurred())
		Expect(token.Active).To(BeFalse())
	})

	It("refuses a consent that leaves out what the channel needs", func(ctx context.Context) {
		somebody.signsIn(ctx, g, "acme_help")
		somebody.clicks(ctx, "checkbox", "tweet.write")
		somebody.clicks(ctx, "button", "Authorise")
		text := somebody.arrives(ctx, "Not everything was granted")
		Expect(text).To(And(ContainSubstring("tweet.write"), Not(ContainSubstring("users.read"))))
		Expect(g.stored()).To(BeNil())
	})

	It("takes an answer once, and from the browser that asked", func(ctx context.Context) {
		somebody.signsIn(ctx, g, "acme_help")
		somebody.clicks(ctx, "button", "Authorise")
		somebody.arrives(ctx, "Connected: acme_help")
		answer := somebody.url(ctx)
		Expect(answer).To(HavePrefix(g.callback() + "?"))
		Expect(somebody.opens(ctx, answer)).To(Equal(http.StatusForbidden), "its cookie is gone")
		stranger := newPerson(ctx)
		Expect(stranger.opens(ctx, answer)).To(Equal(http.StatusForbidden))
		stranger.arrives(ctx, "This was begun in another browser")
	})

	It("refuses a link that was altered", func(ctx context.Context) {
		Expect(somebody.opens(ctx, g.link()+"x")).To(Equal(http.StatusNotFound))
		Expect(somebody.arrives(ctx, "This link is no longer good")).To(ContainSubstring("rostra connect NAMESPACE/CHANNEL"))
	})
})

// keptSession is a session store that survives nothing.
type keptSession struct{ values credentials.Values }

func (k *keptSession) Load(context.Context) (credentials.Values, error) { return k.values, nil }

func (k *keptSession) Save(_ context.Context, values credentials.Values) error {
	k.values = values
	return nil
}

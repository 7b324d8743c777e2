// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package consent_test leads a person through the consent of a platform in a
// real Chromium without JavaScript: of X, whose OAuth a real authorisation
// server plays, and of Mastodon, by a strict fake. Nothing leaves this machine.
package consent_test

import (
	"context"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/test/browser"
	"github.com/rostra-dev/rostra/test/oidc"
)

// parts are what all specs work with.
var parts struct {
	browser  *browser.Browser
	outbound *httpx.Client
	// gateway is where Rostra is reached, with TLS; each spec sets its handler.
	gateway *httptest.Server
	handler atomic.Pointer[http.Handler]
	// oauth is the real authorisation server.
	oauth *oidc.Server
}

func TestConsent(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(20 * time.Second)
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, "Consent in a browser")
}

var _ = BeforeSuite(func(ctx context.Context) {
	var err error
	parts.browser, err = browser.Start(ctx, GinkgoWriter)
	Expect(err).NotTo(HaveOccurred(), "the suite needs a real Chromium; test/browser/install.sh installs it")
	DeferCleanup(parts.browser.Stop)
	parts.outbound, err = httpx.New(httpx.Options{
		UserAgent: "rostra-test", Timeout: 5 * time.Second, AccountRate: 1000, AccountBurst: 1000,
		AllowedPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(parts.outbound.CloseIdleConnections)

	parts.gateway = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		(*parts.handler.Load()).ServeHTTP(w, r)
	}))
	parts.gateway.Config.ErrorLog = log.New(GinkgoWriter, "", 0) // Chromium complains of the certificate, once each
	parts.gateway.StartTLS()
	DeferCleanup(parts.gateway.Close)

	parts.oauth, err = oidc.Start(ctx, oauthOptions(parts.gateway.URL+"/connect/callback/"+platformName))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(parts.oauth.Stop)
})

// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package pds_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/test/pds"
)

// impatience is how long a client waits for a server that is known not to answer.
const impatience = 300 * time.Millisecond

// whoami calls getSession as a program under test would, and returns its error.
func whoami(ctx context.Context, base, token string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/xrpc/com.atproto.server.getSession", http.NoBody)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("User-Agent", "spec")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

var _ = Describe("Server", func() {
	It("starts on loopback alone and leaves nothing behind", func(ctx SpecContext) {
		server := startServer(ctx, pds.Options{})
		base, err := url.Parse(server.URL())
		Expect(err).NotTo(HaveOccurred())
		Expect(base.Hostname()).To(Equal("127.0.0.1"))
		Expect(server.PLCURL()).To(HavePrefix("http://127.0.0.1:"))
		for _, address := range otherAddresses() {
			_, err := net.DialTimeout("tcp", net.JoinHostPort(address, base.Port()), time.Second)
			Expect(err).To(HaveOccurred(), "the server must not be reachable at %s", address)
		}

		Expect(server.Stop()).To(Succeed())
		Expect(server.Dir()).NotTo(BeADirectory())
		Expect(whoami(ctx, base.String(), "x")).To(MatchError(ContainSubstring("refused")))
		Expect(server.Stop()).To(Succeed())
	}, NodeTimeout(installTime))

	It("says why it does not start", func(ctx SpecContext) {
		taken, err := net.Listen("tcp", "127.0.0.1:0")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(taken.Close)
		_, err = pds.Start(ctx, pds.Options{Port: taken.Addr().(*net.TCPAddr).Port})
		skipWithoutTools(err)
		Expect(err).To(MatchError(ContainSubstring("EADDRINUSE")))
	}, NodeTimeout(installTime))

	It("keeps accounts, sessions and its address over a restart", func(ctx SpecContext) {
		dir := GinkgoT().TempDir()
		server := startServer(ctx, pds.Options{Dir: dir})
		account := newAccount(ctx, server)
		session := newSession(ctx, server, account)
		before := server.URL()

		Expect(server.Halt()).To(Succeed())
		Expect(server.Pause()).To(MatchError(ContainSubstring("stopped")))
		Expect(whoami(ctx, before, session.AccessJWT)).To(MatchError(ContainSubstring("refused")))
		Expect(server.Restart(ctx)).To(Succeed())

		Expect(server.URL()).To(Equal(before))
		Expect(server.RefreshSession(ctx, session.RefreshJWT)).To(HaveField("DID", account.DID))
		newSession(ctx, server, account)
		By("keeping the identity in the directory, so that it can still be renamed")
		Expect(server.ChangeHandle(ctx, account, "acme-restarted.test")).To(Succeed())
		Expect(server.Stop()).To(Succeed())
		Expect(filepath.Join(dir, "account.sqlite")).To(BeARegularFile())
	}, NodeTimeout(installTime))

	It("plays an outage and recovers", func(ctx SpecContext) {
		server := startServer(ctx, pds.Options{})
		session := newSession(ctx, server, newAccount(ctx, server))

		Expect(server.Pause()).To(Succeed())
		Expect(server.Pause()).To(Succeed())
		short, cancel := context.WithTimeout(ctx, impatience)
		defer cancel()
		Expect(whoami(short, server.URL(), session.AccessJWT)).To(MatchError(context.DeadlineExceeded))
		Expect(server.Requests()).To(BeEmpty(), "a paused server handles nothing")

		Expect(server.Resume()).To(Succeed())
		Expect(whoami(ctx, server.URL(), session.AccessJWT)).To(Succeed())
		By("stopping cleanly even while paused")
		Expect(server.Pause()).To(Succeed())
		Expect(server.Stop()).To(Succeed())
	}, NodeTimeout(installTime))

	It("counts the requests of others, over restarts", func(ctx SpecContext) {
		server := startServer(ctx, pds.Options{})
		session := newSession(ctx, server, newAccount(ctx, server))
		Expect(server.Requests()).To(BeEmpty(), "its own requests do not count")

		Expect(whoami(ctx, server.URL(), session.AccessJWT)).To(Succeed())
		Expect(server.Restart(ctx)).To(Succeed())
		Expect(whoami(ctx, server.URL(), "wrong")).To(Succeed())

		Expect(server.RequestCount("com.atproto.server.getSession")).To(Equal(2))
		Expect(server.RequestCount(pds.AnyMethod)).To(Equal(2))
		Expect(server.RequestCount("com.atproto.server.createSession")).To(BeZero())
		requests, err := server.Requests()
		Expect(err).NotTo(HaveOccurred())
		Expect(requests[0].UserAgent).To(Equal("spec"))
		Expect(requests[0].At).To(BeTemporally("~", time.Now(), specTime))
		statuses := func() ([]int, error) {
			requests, err := server.Requests()
			return []int{requests[0].Status, requests[1].Status}, err
		}
		Eventually(ctx, statuses).Should(Equal([]int{http.StatusOK, http.StatusBadRequest}))
	}, NodeTimeout(installTime))

	It("passes app.bsky requests to the AppView it is given", func(ctx SpecContext) {
		appView := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, err := w.Write([]byte(`{"notifications":[],"path":"` + r.URL.Path + `"}`))
			Expect(err).NotTo(HaveOccurred())
		}))
		DeferCleanup(appView.Close)
		server := startServer(ctx, pds.Options{AppViewURL: appView.URL})
		session := newSession(ctx, server, newAccount(ctx, server))
		call := pds.Call{NSID: "app.bsky.notification.listNotifications", Token: session.AccessJWT}

		answer := do(ctx, server, call)
		Expect(answer.Status).To(Equal(http.StatusOK))
		Expect(answer.Body).To(MatchJSON(`{"notifications":[],"path":"/xrpc/app.bsky.notification.listNotifications"}`))

		By("answering 502 when the AppView is away")
		appView.Close()
		Expect(do(ctx, server, call)).To(And(
			HaveField("Status", http.StatusBadGateway),
			HaveField("Name", "UpstreamFailure"),
		))
	}, NodeTimeout(installTime))

	It("does not print or keep credentials in its log", func(ctx SpecContext) {
		server := startServer(ctx, pds.Options{})
		account := newAccount(ctx, server)
		session, password := newAppSession(ctx, server, account, "rostra")
		content, err := os.ReadFile(filepath.Join(server.Dir(), "pds.log"))
		Expect(err).NotTo(HaveOccurred())
		Expect(string(content)).To(ContainSubstring("createAppPassword"))
		for _, secret := range []string{account.Password, password, session.AccessJWT, session.RefreshJWT} {
			Expect(string(content)).NotTo(ContainSubstring(secret))
		}
	}, NodeTimeout(installTime))
})

// otherAddresses lists this machine's addresses besides 127.0.0.1.
func otherAddresses() []string {
	GinkgoHelper()
	interfaces, err := net.InterfaceAddrs()
	Expect(err).NotTo(HaveOccurred())
	var others []string
	for _, address := range interfaces {
		if network, ok := address.(*net.IPNet); ok && !network.IP.IsLinkLocalUnicast() && network.IP.String() != "127.0.0.1" {
			others = append(others, network.IP.String())
		}
	}
	return others
}

// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package httpx_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/httpx"
)

// serveSilence accepts connections and never says a word.
func serveSilence() string {
	GinkgoHelper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, conn) // until the client hangs up
			_ = conn.Close()
		}
	}()
	DeferCleanup(func() {
		Expect(listener.Close()).To(Succeed())
		<-done
	})
	return listener.Addr().String()
}

// brokenResolver hangs up on every question.
func brokenResolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		return client, server.Close()
	}}
}

func resolving(answer answerA) func(*httpx.Options) {
	return func(o *httpx.Options) { o.Resolver = resolver(answer) }
}

func nothingAllowed(o *httpx.Options) { o.AllowedPrivate = nil }

var _ = Describe("Egress", Label("S25"), func() {
	var calls atomic.Int32
	var server string

	BeforeEach(func() {
		calls.Store(0)
		server = serve(func(http.ResponseWriter, *http.Request) { calls.Add(1) }).URL
	})

	AfterEach(func() {
		Expect(calls.Load()).To(BeZero(), "the request went out")
	})

	at := func(host string) string { return strings.Replace(server, "127.0.0.1", host, 1) }

	It("refuses a loopback server by address", func() {
		_, err := get(newClient(nothingAllowed), server)
		Expect(err).To(haveKind(httpx.KindAddressRefused))
		Expect(err).To(MatchError(server + ": refused to connect: the host's address is loopback; an administrator can allow its range"))
		Expect(asError(err).MaybeSent).To(BeFalse())
	})

	It("refuses a public name that resolves to loopback", func() {
		_, err := get(newClient(nothingAllowed, resolving(always("127.0.0.1"))), at("rebind.example"))
		Expect(err).To(haveKind(httpx.KindAddressRefused))
	})

	It("refuses a name that moves to an inner address once it has been trusted", func() {
		listener, err := net.Listen("tcp", at("127.0.0.2")[len("http://"):])
		if err != nil {
			Skip("this machine has no second loopback address")
		}
		outer := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		Expect(outer.Listener.Close()).To(Succeed())
		outer.Listener = listener
		outer.Start()
		DeferCleanup(outer.Close)

		var moved atomic.Bool
		client := newClient(resolving(func(string) (netip.Addr, bool) {
			if moved.Load() {
				return netip.MustParseAddr("127.0.0.1"), true
			}
			return netip.MustParseAddr("127.0.0.2"), true
		}), func(o *httpx.Options) { o.AllowedPrivate = []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")} })
		_, err = get(client, at("rebind.example"))
		Expect(err).NotTo(HaveOccurred())

		moved.Store(true)
		client.CloseIdleConnections()
		_, err = get(client, at("rebind.example"))
		Expect(err).To(haveKind(httpx.KindAddressRefused))
	})

	DescribeTable("refuses plain http to a public address",
		func(address string) {
			_, err := get(newClient(resolving(always(address))), "http://public.example/")
			Expect(err).To(haveKind(httpx.KindAddressRefused))
			Expect(err).To(MatchError(ContainSubstring("use https")))
		},
		Entry("IPv4", "93.184.216.34"),
		Entry("IPv6", "2606:2800:220:1:248:1893:25c8:1946"),
	)

	DescribeTable("refuses metadata services even inside an allowed range",
		func(host string, allowed ...string) {
			client := newClient(func(o *httpx.Options) {
				for _, prefix := range allowed {
					o.AllowedPrivate = append(o.AllowedPrivate, netip.MustParsePrefix(prefix))
				}
			})
			for _, scheme := range []string{"http://", "https://"} {
				_, err := get(client, scheme+host+"/latest/meta-data/")
				Expect(err).To(haveKind(httpx.KindAddressRefused))
				Expect(err).To(MatchError(ContainSubstring("metadata")))
			}
		},
		Entry("IPv4", "169.254.169.254", "169.254.0.0/16"),
		Entry("IPv6", "[fd00:ec2::254]", "fd00::/8"),
		Entry("behind NAT64", "[64:ff9b::a9fe:a9fe]", "64:ff9b::/96", "169.254.0.0/16"),
	)

	It("does not count refusals for the breaker", func() {
		client := newClient(nothingAllowed)
		for range 20 {
			_, err := get(client, server)
			Expect(err).To(haveKind(httpx.KindAddressRefused))
		}
	})

	It("reaches an allowed range by name", func() {
		_, err := get(newClient(resolving(always("127.0.0.1"))), at("inner.example"))
		Expect(err).NotTo(HaveOccurred())
		Expect(calls.Swap(0)).To(Equal(int32(1)))
	})
})

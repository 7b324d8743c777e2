// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package httpx_test

import (
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/httpx"
)

var _ = Describe("A connection for another protocol", func() {
	none := func(o *httpx.Options) { o.AllowedPrivate = nil }

	It("is made to an address that may be dialled", func(ctx context.Context) {
		address := strings.TrimPrefix(serveRaw("220 hello\r\n"), "http://")
		for _, plain := range []bool{true, false} {
			conn, err := newClient().Dial(ctx, address, plain)
			Expect(err).NotTo(HaveOccurred())
			_, err = io.WriteString(conn, "EHLO\r\n")
			Expect(err).NotTo(HaveOccurred())
			Expect(io.ReadAll(conn)).To(BeEquivalentTo("220 hello\r\n"))
			Expect(conn.Close()).To(Succeed())
		}
	})

	DescribeTable("is judged by the same rules",
		func(ctx context.Context, address string, plain bool, kind httpx.Kind) {
			conn, err := newClient(none).Dial(ctx, address, plain)
			Expect(conn).To(BeNil())
			Expect(httpx.KindOf(err)).To(Equal(kind), "%v", err)
		},
		Entry("loopback", "127.0.0.1:25", false, httpx.KindAddressRefused),
		Entry("private", "10.1.2.3:25", false, httpx.KindAddressRefused),
		Entry("metadata", "169.254.169.254:80", false, httpx.KindAddressRefused),
		Entry("public in clear", "93.184.216.34:25", true, httpx.KindAddressRefused),
		Entry("no port", "mail.example", false, httpx.KindInvalidRequest),
	)

	It("is judged after DNS has answered", func(ctx context.Context) {
		inner := func(o *httpx.Options) {
			o.AllowedPrivate = nil
			o.Resolver = resolver(func(string) (netip.Addr, bool) { return netip.MustParseAddr("10.0.0.7"), true })
		}
		_, err := newClient(inner).Dial(ctx, "mail.example:25", false)
		Expect(httpx.KindOf(err)).To(Equal(httpx.KindAddressRefused))
		Expect(err).To(MatchError(HavePrefix("mail.example:25: refused to connect")))
	})

	It("says that nobody listens, and that the caller gave up", func(ctx context.Context) {
		closed := strings.TrimPrefix(closedPort(), "http://")
		_, err := newClient().Dial(ctx, closed, false)
		Expect(httpx.KindOf(err)).To(Equal(httpx.KindConnect))

		ended, cancel := context.WithCancel(ctx)
		cancel()
		_, err = newClient().Dial(ended, closed, false)
		Expect(httpx.KindOf(err)).To(Equal(httpx.KindCanceled))
	})

	It("ends within the time limit", func(ctx context.Context) {
		hanging := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		client := newClient(func(o *httpx.Options) {
			o.Timeout, o.MaxWait, o.Resolver = 20*time.Millisecond, time.Millisecond, hanging
		})
		_, err := client.Dial(ctx, "mail.example:25", false)
		Expect(httpx.KindOf(err)).To(Equal(httpx.KindTimeout))
	})
})

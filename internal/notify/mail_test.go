// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"bytes"
	"context"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/netip"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/notify"
	"github.com/rostra-dev/rostra/test/smtp"
)

func serveMail(o smtp.Options) *smtp.Server {
	GinkgoHelper()
	server, err := smtp.Start(o)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(server.Stop)
	return server
}

// mailOpener trusts the server, and gives up after a while.
func mailOpener(server *smtp.Server, limit time.Duration, changes ...func(*httpx.Options)) *notify.Opener {
	GinkgoHelper()
	opener, err := notify.New(notify.Options{
		HTTP: newClient(nil, changes...), From: "Rostra <rostra@brand.example>", RootCAs: server.Roots(), MailTimeout: limit,
	})
	Expect(err).NotTo(HaveOccurred())
	return opener
}

// serveRaw says the same again and again to whoever connects, until they leave.
func serveRaw(says string) string {
	GinkgoHelper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				for err == nil && says != "" {
					_, err = io.WriteString(conn, says)
				}
				_, _ = io.Copy(io.Discard, conn)
				_ = conn.Close()
			})
		}
	})
	DeferCleanup(func() {
		Expect(listener.Close()).To(Succeed())
		conns.Wait()
	})
	return listener.Addr().String()
}

func read(m smtp.Mail) (header mail.Header, subject, body string) {
	GinkgoHelper()
	parsed, err := mail.ReadMessage(bytes.NewReader(m.Data))
	Expect(err).NotTo(HaveOccurred())
	subject, err = new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject"))
	Expect(err).NotTo(HaveOccurred())
	Expect(parsed.Header.Get("Content-Transfer-Encoding")).To(Equal("quoted-printable"))
	text, err := io.ReadAll(quotedprintable.NewReader(parsed.Body))
	Expect(err).NotTo(HaveOccurred())
	return parsed.Header, subject, strings.ReplaceAll(string(text), "\r\n", "\n")
}

var _ = Describe("Mail", func() {
	It("is accepted over STARTTLS, signed in, and is what it should be", func(ctx context.Context) {
		server := serveMail(smtp.Options{Username: "rostra", Password: mark + "/@:"})
		notifier := open(mailOpener(server, time.Minute), address("smtp://rostra:"+mark+"%2F%40%3A@"+server.Address()))
		Expect(notifier.Tell(ctx, told())).To(Succeed())
		Expect(server.Mails()).To(HaveLen(1))
		Expect(server.Mails()[0].TLS).To(BeTrue())
		Expect(server.Mails()[0].From).To(Equal("rostra@brand.example"))
		Expect(server.Mails()[0].To).To(Equal([]string{"maria@brand.example"}))
		header, subject, body := read(server.Mails()[0])
		Expect(subject).To(Equal("Nobody has answered @help on Bluesky for 15 min"))
		Expect(header.Get("Auto-Submitted")).To(Equal("auto-generated"))
		Expect(header.Get("Importance")).To(Equal("high"))
		Expect(header.Get("From")).To(Equal(`"Rostra" <rostra@brand.example>`))
		Expect(header.Get("Content-Type")).To(HavePrefix("text/plain"))
		Expect(body).To(Equal("Where: brand-eu/help\nOwner: R&D <care>\n\n> my order never came\n> <!channel> *now*\n\n" +
			"The post: https://bsky.app/profile/a/post/1\n\nI have it: https://rostra.brand.example/ack/" + mark + "\n"))
	})

	It("has the same Message-ID for the same telling, and one thread for an incident", func(ctx context.Context) {
		server := serveMail(smtp.Options{})
		notifier := open(mailOpener(server, time.Minute), address("smtp://"+server.Address()))
		m := told()
		Expect(notifier.Tell(ctx, m)).To(Succeed())
		Expect(notifier.Tell(ctx, m)).To(Succeed())
		m.ID = "another"
		Expect(notifier.Tell(ctx, m)).To(Succeed())
		var ids, threads []string
		for _, one := range server.Mails() {
			header, _, _ := read(one)
			ids, threads = append(ids, header.Get("Message-Id")), append(threads, header.Get("References"))
		}
		Expect(ids[0]).To(MatchRegexp(`^<[0-9a-f]{32}@brand\.example>$`))
		Expect(ids[0]).To(Equal(ids[1]))
		Expect(ids[0]).NotTo(Equal(ids[2]))
		Expect(threads[0]).To(Equal(threads[2]))
	})

	It("is sent over TLS from the first byte, to whom the address names", func(ctx context.Context) {
		server := serveMail(smtp.Options{Implicit: true, Username: "rostra", Password: mark})
		url := "smtps://" + server.Address() + "?to=desk@brand.example,night%2Bshift@brand.example&from=social@brand.example"
		notifier := open(mailOpener(server, time.Minute), address(url, "username", "rostra", "password", mark))
		Expect(notifier.Tell(ctx, told())).To(Succeed())
		Expect(server.Mails()[0].From).To(Equal("social@brand.example"))
		Expect(server.Mails()).To(HaveLen(2))
		Expect(server.Mails()[0].To).To(Equal([]string{"desk@brand.example"}))
		Expect(server.Mails()[1].To).To(Equal([]string{"night+shift@brand.example"}))
		first, _, _ := read(server.Mails()[0])
		second, _, _ := read(server.Mails()[1])
		Expect(first.Get("To")).To(Equal("<desk@brand.example>"))
		Expect(first.Get("Message-Id")).NotTo(Equal(second.Get("Message-Id")))
		Expect(first.Get("References")).To(Equal(second.Get("References")))
	})

	DescribeTable("reaches those whom the server takes",
		func(ctx context.Context, unknown []string, reached ...string) {
			server := serveMail(smtp.Options{Unknown: unknown})
			url := "smtp://" + server.Address() + "?to=a@brand.example,b@brand.example,c@brand.example"
			err := open(mailOpener(server, time.Minute), address(url)).Tell(ctx, told())
			to := []string{}
			for _, one := range server.Mails() {
				to = append(to, one.To...)
			}
			Expect(to).To(Equal(reached))
			if len(reached) > 0 {
				Expect(err).NotTo(HaveOccurred())
				return
			}
			Expect(failureOf(err).Status).To(Equal(550))
		},
		Entry("all", nil, "a@brand.example", "b@brand.example", "c@brand.example"),
		Entry("but the first", []string{"a@brand.example"}, "b@brand.example", "c@brand.example"),
		Entry("but the last", []string{"c@brand.example"}, "a@brand.example", "b@brand.example"),
		Entry("one", []string{"a@brand.example", "b@brand.example"}, "c@brand.example"),
		Entry("none", []string{"a@brand.example", "b@brand.example", "c@brand.example"}),
	)

	It("lets nobody write a header or a command", func(ctx context.Context) {
		server := serveMail(smtp.Options{})
		opener := mailOpener(server, time.Minute)
		m := told()
		m.Title = "Nobody\r\nBcc: eve@evil.example\r\n\r\nand a body\u202e"
		m.ID, m.Incident = "a\r\nBcc: eve@evil.example", "b\r\nBcc: eve@evil.example"
		m.Excerpt = "text\r\n.\r\nMAIL FROM:<eve@evil.example>\r\nRCPT TO:<eve@evil.example>"
		Expect(open(opener, address("smtp://"+server.Address())).Tell(ctx, m)).To(Succeed())
		Expect(server.Mails()).To(HaveLen(1))
		Expect(server.Mails()[0].To).To(Equal([]string{"maria@brand.example"}))
		header, subject, body := read(server.Mails()[0])
		Expect(header).NotTo(HaveKey("Bcc"))
		Expect(subject).To(Equal("Nobody Bcc: eve@evil.example and a body"))
		Expect(body).To(ContainSubstring("> .\n> MAIL FROM:<eve@evil.example>\n"))

		for _, to := range []string{"eve@evil.example\r\nBcc: x@evil.example", "\"a\r\nRCPT TO:<x@evil.example>\"@evil.example", "a b", ""} {
			m.Email = to
			failure := failureOf(open(opener, address("smtp://"+server.Address())).Tell(ctx, m))
			Expect(failure.Permanent).To(BeTrue())
		}
		Expect(server.Mails()).To(HaveLen(1))
	})

	It("goes in clear only where the administrator allows plain connections", func(ctx context.Context) {
		server := serveMail(smtp.Options{Clear: true})
		opener := mailOpener(server, time.Minute)
		failure := failureOf(open(opener, address("smtp://"+server.Address())).Tell(ctx, told()))
		Expect(failure).To(MatchError(ContainSubstring("STARTTLS")))
		Expect(open(opener, address("smtp://"+server.Address()+"?tls=none")).Tell(ctx, told())).To(Succeed())
		Expect(server.Mails()[0].TLS).To(BeFalse())

		public := open(mailOpener(server, time.Minute), address("smtp://93.184.216.34:25?tls=none"))
		Expect(httpx.KindOf(failureOf(public.Tell(ctx, told())))).To(Equal(httpx.KindAddressRefused))
	})

	It("is not sent to an inner address", func(ctx context.Context) {
		server := serveMail(smtp.Options{})
		opener := mailOpener(server, time.Minute, func(o *httpx.Options) { o.AllowedPrivate = []netip.Prefix{} })
		failure := failureOf(open(opener, address("smtp://"+server.Address())).Tell(ctx, told()))
		Expect(failure.Permanent).To(BeTrue())
		Expect(httpx.KindOf(failure)).To(Equal(httpx.KindAddressRefused))
	})

	It("is not sent to a server with another's certificate", func(ctx context.Context) {
		for _, implicit := range []bool{true, false} {
			server := serveMail(smtp.Options{Implicit: implicit})
			opener, err := notify.New(notify.Options{HTTP: newClient(nil), From: "rostra@brand.example"}) // trusts the system's roots
			Expect(err).NotTo(HaveOccurred())
			scheme := map[bool]string{true: "smtps://", false: "smtp://"}[implicit]
			failure := failureOf(open(opener, address(scheme+server.Address())).Tell(ctx, told()))
			Expect(failure).To(MatchError(ContainSubstring("certificate")))
			Expect(server.Mails()).To(BeEmpty())
		}
	})

	It("fails when the password is wrong, which stays so", func(ctx context.Context) {
		server := serveMail(smtp.Options{Username: "rostra", Password: "right"})
		failure := failureOf(open(mailOpener(server, time.Minute), address("smtp://rostra:"+mark+"@"+server.Address())).Tell(ctx, told()))
		Expect(failure).To(MatchError(ContainSubstring("does not accept the user name and password")))
		Expect(failure.Permanent).To(BeTrue())
	})

	DescribeTable("that the server does not take counts as not told",
		func(ctx context.Context, trouble smtp.Trouble, code int, permanent, maybe bool) {
			server := serveMail(smtp.Options{Username: "rostra", Password: mark})
			server.Misbehave(trouble)
			notifier := open(mailOpener(server, 500*time.Millisecond), address("smtp://rostra:"+mark+"@"+server.Address()+"?to="+mark+"@brand.example"))
			failure := failureOf(notifier.Tell(ctx, told()))
			Expect(failure.Status).To(Equal(code))
			Expect(failure.Permanent).To(Equal(permanent))
			Expect(failure.MaybeTold).To(Equal(maybe))
			Expect(failure.Error()).To(HavePrefix("email: " + server.Address()))
			Expect(server.Mails()).To(BeEmpty())
		},
		Entry("no such sender", smtp.RefuseSender, 550, true, false),
		Entry("later", smtp.Greylist, 451, false, false),
		Entry("no such person", smtp.RefuseRecipient, 550, true, false),
		Entry("taken, and then failed", smtp.FailMail, 451, false, false),
		Entry("taken, and then refused", smtp.RefuseMail, 554, true, false),
		Entry("taken, and then cut off", smtp.CutMail, 0, false, true),
		Entry("taken, and then silence", smtp.HangMail, 0, false, true),
	)

	It("that was taken is told, whatever the server does then", func(ctx context.Context) {
		server := serveMail(smtp.Options{})
		server.Misbehave(smtp.CutAfter)
		Expect(open(mailOpener(server, time.Minute), address("smtp://"+server.Address())).Tell(ctx, told())).To(Succeed())
		Expect(server.Mails()).To(HaveLen(1))
	})

	DescribeTable("ends in time at a server that speaks no SMTP",
		func(ctx context.Context, says string, scheme string) {
			at := serveRaw(says)
			opener, err := notify.New(notify.Options{HTTP: newClient(nil), From: "rostra@brand.example", MailTimeout: 200 * time.Millisecond})
			Expect(err).NotTo(HaveOccurred())
			failure := failureOf(open(opener, address(scheme+"://u:"+mark+"@"+at)).Tell(ctx, told()))
			Expect(failure.Permanent).To(BeFalse())
		},
		Entry("silence", "", "smtp"),
		Entry("silence where TLS should be", "", "smtps"),
		Entry("a line without end", "220", "smtp"),
		Entry("noise", "\x00\xff\r\n", "smtp"),
		Entry("a greeting without end", "220-still here\r\n", "smtp"),
		Entry("not yet", "421 later\r\n", "smtp"),
	)

	It("is not waited for at a server that never ends its greeting", func(ctx context.Context) {
		opener, err := notify.New(notify.Options{HTTP: newClient(nil), From: "rostra@brand.example", MailTimeout: time.Hour})
		Expect(err).NotTo(HaveOccurred())
		failure := failureOf(open(opener, address("smtp://"+serveRaw("220-still here\r\n"))).Tell(ctx, told()))
		Expect(failure).To(MatchError(ContainSubstring("says more than any mail server does")))
	}, SpecTimeout(30*time.Second))

	It("ends when the caller gives up", func(ctx context.Context) {
		ended, cancel := context.WithCancel(ctx)
		server := serveMail(smtp.Options{Hangs: cancel})
		server.Misbehave(smtp.HangMail)
		failure := failureOf(open(mailOpener(server, time.Hour), address("smtp://"+server.Address())).Tell(ended, told()))
		Expect(failure.MaybeTold).To(BeTrue())
	})
})

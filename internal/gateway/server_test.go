// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/gateway"
)

// running is a server that is serving.
type running struct {
	address string
	stop    context.CancelFunc
	stopped chan error
}

func run(handler http.Handler) *running {
	GinkgoHelper()
	server := gateway.NewServer("127.0.0.1:0", handler, (&logbook{}).logger())
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{stop: cancel, stopped: make(chan error, 1)}
	go func() { r.stopped <- server.Start(ctx) }()
	Eventually(server.Addr).ShouldNot(BeNil())
	r.address = server.Addr().String()
	DeferCleanup(cancel)
	return r
}

// say sends a text on a new connection and gives the status line and the rest
// of what comes back until the server hangs up.
func say(address, text string) (status, rest string) {
	GinkgoHelper()
	conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", address)
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = conn.Close() }()
	Expect(conn.SetDeadline(time.Now().Add(20 * time.Second))).To(Succeed())
	_, err = io.WriteString(conn, text)
	Expect(err).NotTo(HaveOccurred())
	// A server that hangs up on what it has not read resets the connection.
	answer, _ := io.ReadAll(bufio.NewReader(io.LimitReader(conn, 1<<20)))
	status, rest, _ = strings.Cut(string(answer), "\r\n")
	return status, rest
}

func announce(uid string, length int, headers string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: hooks.acme.example\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n", path(uid), length, headers)
}

var _ = Describe("The server", func() {
	It("refuses headers of more than it reads", func() {
		w := newWorld()
		s := run(w.gateway.Handler())
		status, _ := say(s.address, announce(helpUID, 0, "X: "+strings.Repeat("x", 32<<10)+"\r\n"))
		Expect(status).To(Equal("HTTP/1.1 431 Request Header Fields Too Large"))
	})

	It("does not wait for a body that does not come, and hangs up", func() {
		w := newWorld(func(o *gateway.Options) { o.Limits.ReadBody = 50 * time.Millisecond })
		s := run(w.gateway.Handler())
		status, rest := say(s.address, announce(helpUID, 100, "")+"{")
		Expect(status).To(Equal("HTTP/1.1 408 Request Timeout"))
		Expect(rest).To(ContainSubstring("Connection: close"))
		Expect(w.outcomes("slow")).To(Equal(1.0))
		Expect(w.sink.calls).To(BeZero())
	})

	It("refuses a body that ends early", func() {
		w := newWorld()
		s := run(w.gateway.Handler())
		conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", s.address)
		Expect(err).NotTo(HaveOccurred())
		defer func() { _ = conn.Close() }()
		_, err = io.WriteString(conn, announce(helpUID, 100, "")+"{}")
		Expect(err).NotTo(HaveOccurred())
		tcp, ok := conn.(*net.TCPConn)
		Expect(ok).To(BeTrue())
		Expect(tcp.CloseWrite()).To(Succeed())
		answer, err := io.ReadAll(io.LimitReader(conn, 1<<20))
		Expect(err).NotTo(HaveOccurred())
		Expect(string(answer)).To(HavePrefix("HTTP/1.1 400 Bad Request\r\n"))
		Expect(w.outcomes("broken")).To(Equal(1.0))
		Expect(w.sink.calls).To(BeZero())
	})

	It("waits no longer for a body that it refuses", func() {
		w := newWorld(func(o *gateway.Options) { o.Limits.ReadBody = 50 * time.Millisecond })
		s := run(w.gateway.Handler())
		for target, expected := range map[string]string{
			path(helpUID): "HTTP/1.1 410 Gone", "/hooks/toy/x": "HTTP/1.1 404 Not Found", "/": "HTTP/1.1 404 Not Found",
		} {
			w.book.Remove("help")
			begun := time.Now()
			status, rest := say(s.address, strings.Replace(announce(helpUID, 100, ""), path(helpUID), target, 1)+"{")
			Expect(status).To(Equal(expected))
			Expect(rest).To(ContainSubstring("Connection: close"))
			Expect(time.Since(begun)).To(BeNumerically("<", 5*time.Second))
		}
	})

	It("asks for no body that is too large", func() {
		w := newWorld()
		s := run(w.gateway.Handler())
		status, _ := say(s.address, announce(helpUID, 10<<20, "Expect: 100-continue\r\n"))
		Expect(status).To(Equal("HTTP/1.1 413 Request Entity Too Large"))
	})

	It("answers what it is in the middle of when it is stopped", func() {
		w := newWorld()
		inside, leave := make(chan struct{}), make(chan struct{})
		w.sink.put = func(context.Context) error {
			close(inside)
			<-leave
			return nil
		}
		s := run(w.gateway.Handler())
		answer := make(chan string, 1)
		go func() {
			defer GinkgoRecover()
			body := eventsOf("")
			status, _ := say(s.address, announce(helpUID, len(body), toyHeader+": "+sign("secret-help", body)+"\r\nConnection: close\r\n")+body)
			answer <- status
		}()
		<-inside
		s.stop()
		Eventually(func() error {
			conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", s.address)
			if err == nil {
				_ = conn.Close()
			}
			return err
		}).Should(HaveOccurred(), "it takes nobody new")
		Consistently(s.stopped, "50ms").ShouldNot(Receive())
		close(leave)
		Expect(<-answer).To(Equal("HTTP/1.1 202 Accepted"))
		Expect(<-s.stopped).NotTo(HaveOccurred())
		Expect(w.sink.events).To(HaveLen(1))
	})

	It("says where it cannot listen", func() {
		w := newWorld()
		s := run(w.gateway.Handler())
		err := gateway.NewServer(s.address, w.gateway.Handler(), w.log.logger()).Start(context.Background())
		Expect(err).To(MatchError(ContainSubstring("cannot listen")))
	})

	It("serves on every replica", func() {
		Expect(gateway.NewServer("", nil, (&logbook{}).logger()).NeedLeaderElection()).To(BeFalse())
	})
})

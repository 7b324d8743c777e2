// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package httpx_test

import (
	"context"
	"crypto/x509"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/rostra-dev/rostra/internal/httpx"
)

func TestHTTPX(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(10 * time.Second) // a busy machine is no failure
	RunSpecs(t, "httpx")
}

// Every spec must leave no goroutine behind. This is registered first, so it
// looks after all other clean-ups have run.
var _ = BeforeEach(func() {
	before := goleak.IgnoreCurrent()
	DeferCleanup(func() { Expect(goleak.Find(before)).To(Succeed()) })
})

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// newClient makes a client that may call loopback, with the options changed as
// wanted, and without limits that a spec does not speak of.
func newClient(changes ...func(*httpx.Options)) *httpx.Client {
	GinkgoHelper()
	options := httpx.Options{UserAgent: "rostra-test/1", AllowedPrivate: loopback, AccountRate: 1e6, AccountBurst: 1e6}
	for _, change := range changes {
		change(&options)
	}
	client, err := httpx.New(options)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(client.CloseIdleConnections)
	return client
}

func serve(handler http.HandlerFunc) *httptest.Server {
	server := httptest.NewServer(handler)
	DeferCleanup(server.Close)
	return server
}

func serveTLS(change func(*httptest.Server), handler http.HandlerFunc) *httptest.Server {
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = discard
	if change != nil {
		change(server)
	}
	server.StartTLS()
	DeferCleanup(server.Close)
	return server
}

func trusting(server *httptest.Server) func(*httpx.Options) {
	return func(o *httpx.Options) {
		o.RootCAs = x509.NewCertPool()
		o.RootCAs.AddCert(server.Certificate())
	}
}

// serveRaw answers every connection with the given bytes and closes it.
func serveRaw(answer string) string {
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
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = io.WriteString(conn, answer)
			_ = conn.Close()
		}
	}()
	DeferCleanup(func() {
		Expect(listener.Close()).To(Succeed())
		<-done
	})
	return "http://" + listener.Addr().String()
}

// closedPort gives the URL of a port on which nobody listens.
func closedPort() string {
	GinkgoHelper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	defer func() { Expect(listener.Close()).To(Succeed()) }()
	return "http://" + listener.Addr().String()
}

// answerA gives the address of a name, or false for a name that does not exist.
type answerA func(name string) (netip.Addr, bool)

// resolver is a real net.Resolver that speaks DNS with a server in this
// process, over a pipe.
func resolver(answer answerA) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go serveDNS(server, answer)
		return client, nil
	}}
}

func serveDNS(conn net.Conn, answer answerA) {
	defer func() { _ = conn.Close() }()
	for {
		var size uint16
		if binary.Read(conn, binary.BigEndian, &size) != nil {
			return
		}
		query := make([]byte, size)
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		var message dnsmessage.Message
		if message.Unpack(query) != nil || len(message.Questions) != 1 {
			return
		}
		reply, err := replyTo(message, answer).Pack()
		if err != nil {
			return
		}
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
			return
		}
	}
}

func replyTo(query dnsmessage.Message, answer answerA) *dnsmessage.Message {
	question := query.Questions[0]
	reply := &dnsmessage.Message{Header: dnsmessage.Header{ID: query.ID, Response: true, RecursionAvailable: true}, Questions: query.Questions}
	addr, found := answer(question.Name.String())
	switch {
	case !found:
		reply.RCode = dnsmessage.RCodeNameError
	case addr.Is4() && question.Type == dnsmessage.TypeA:
		reply.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: question.Name, Type: question.Type, Class: question.Class, TTL: 0},
			Body:   &dnsmessage.AResource{A: addr.As4()},
		}}
	case addr.Is6() && question.Type == dnsmessage.TypeAAAA:
		reply.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: question.Name, Type: question.Type, Class: question.Class, TTL: 0},
			Body:   &dnsmessage.AAAAResource{AAAA: addr.As16()},
		}}
	}
	return reply
}

// always answers every name with one address.
func always(addr string) answerA {
	parsed := netip.MustParseAddr(addr)
	return func(string) (netip.Addr, bool) { return parsed, true }
}

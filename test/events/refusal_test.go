// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/hook"
	xfake "github.com/rostra-dev/rostra/test/fakes/x"
)

const tenMegabytes = 10 << 20

// zeros is a body that takes no room here.
type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// bad is a request that the gateway refuses, and the status it answers.
type bad struct {
	what   string
	status int
	send   func(ctx context.Context) (int, error)
}

// bads are all that strangers try.
func (n *xWorld) bads() []bad {
	body, own := n.mention(n.help, 1, "hello"), n.app.ConsumerSecret
	deep := []byte(`{"for_user_id":"` + n.help.ID + `","tweet_create_events":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`)
	post := func(url string, header http.Header, body []byte) func(context.Context) (int, error) {
		return func(ctx context.Context) (int, error) {
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
			if err != nil {
				return 0, err
			}
			request.Header = header
			return answerTo(request)
		}
	}
	signed := func(signatures ...string) http.Header {
		return http.Header{"Content-Type": {"application/json"}, headerXSignature: signatures}
	}
	good, unknown := signed(xfake.Sign(own, body)), strings.Repeat("A", 22)
	return []bad{
		{"no signature", http.StatusUnauthorized, post(n.callbackURL, signed(), body)},
		{"a wrong signature", http.StatusUnauthorized, post(n.callbackURL, signed(xfake.Sign("another", body)), body)},
		{"a signature that is none", http.StatusUnauthorized, post(n.callbackURL, signed("sha256=nonsense"), body)},
		{"two signatures", http.StatusUnauthorized, post(n.callbackURL, signed(xfake.Sign(own, body), xfake.Sign(own, body)), body)},
		{"a body that was altered", http.StatusUnauthorized, post(n.callbackURL, good, append(bytes.Clone(body), ' '))},
		{"another content type", http.StatusUnsupportedMediaType, post(n.callbackURL, http.Header{"Content-Type": {"text/html"}}, body)},
		{"deeply nested, and signed", http.StatusBadRequest, post(n.callbackURL, signed(xfake.Sign(own, deep)), deep)},
		{"an unknown token", http.StatusNotFound, post(n.base+"/hooks/x/0b0c7a5e-6a0e-4d3c-9a55-0f2f3a1c0001."+unknown, good, body)},
		{"a token that is none", http.StatusNotFound, post(n.base+"/hooks/x/nonsense", good, body)},
		{"another platform's path", http.StatusNotFound, post(strings.Replace(n.callbackURL, "/x/", "/meta/", 1), good, body)},
		{"a probe of somebody who cannot judge the answer", http.StatusNotFound, func(ctx context.Context) (int, error) {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, n.callbackURL, http.NoBody)
			if err != nil {
				return 0, err
			}
			request.Header.Set(hook.ProbeHeader, "0b0c7a5e-6a0e-4d3c-9a55-0f2f3a1c0001."+unknown)
			return answerTo(request)
		}},
		{"10 MB that are announced", http.StatusRequestEntityTooLarge, n.announces},
		{"10 MB that are not announced", http.StatusRequestEntityTooLarge, n.streams},
	}
}

// announces asks first whether 10 MB are welcome, as many clients do.
func (n *xWorld) announces(ctx context.Context) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, n.callbackURL, io.LimitReader(zeros{}, tenMegabytes))
	if err != nil {
		return 0, err
	}
	request.ContentLength = tenMegabytes
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Expect", "100-continue")
	transport := &http.Transport{ExpectContinueTimeout: 10 * time.Second}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// streams sends 10 MB and more without a word of how much it will be, and reads
// the answer whether all was taken or not.
func (n *xWorld) streams(ctx context.Context) (int, error) {
	connection, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", n.address)
	if err != nil {
		return 0, err
	}
	defer func() { _ = connection.Close() }()
	path := strings.TrimPrefix(n.callbackURL, n.base)
	if _, err := fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n", path, n.address); err != nil {
		return 0, err
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for range tenMegabytes >> 16 {
			if _, err := fmt.Fprintf(connection, "10000\r\n%s\r\n", make([]byte, 1<<16)); err != nil {
				return // it hangs up, as it should
			}
		}
	}()
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	_ = connection.Close()
	<-sent
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

var _ = Describe("Bad requests", func() {
	It("are refused by the thousand without a request to the API server", func(ctx SpecContext) {
		n := newXWorld(ctx)
		n.subscribed(ctx, "help", n.help)
		before := n.quiet()
		all := n.bads()
		for i := range 1000 {
			one := all[i%len(all)]
			status, err := one.send(ctx)
			Expect(err).NotTo(HaveOccurred(), one.what)
			Expect(status).To(Equal(one.status), one.what)
		}
		Expect(n.asked.requests.Load()).To(Equal(before))

		By("taking what is good, as before")
		customer := newReader()
		n.reads("answers", customer)
		n.fake.Post(n.customer, "@acme_help good morning", nil)
		Eventually(customer.texts).Should(HaveExactElements("@acme_help good morning"))
		Eventually(n.asked.requests.Load).Should(BeNumerically(">", before), "requests are counted: it notes the time of the last event")
	})
})

// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package webpush_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	receiving "github.com/rostra-dev/rostra/internal/platform/mastodon/webpush"
	"github.com/rostra-dev/rostra/test/webpush"
)

func TestWebPush(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "real Web Push sender")
}

const startTimeout = 2 * time.Minute

var sender *webpush.Sender

var _ = BeforeSuite(func(ctx SpecContext) {
	var err error
	sender, err = webpush.Start(ctx)
	if errors.Is(err, webpush.ErrUnavailable) && os.Getenv("CI") == "" {
		Skip(err.Error())
	}
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(sender.Stop()).To(Succeed()) })
}, NodeTimeout(startTimeout))

func newKeys() receiving.Keys {
	GinkgoHelper()
	keys, err := receiving.NewKeys()
	Expect(err).NotTo(HaveOccurred())
	return keys
}

// pair is a receiver and a sender who know each other.
type pair struct {
	receiver receiving.Keys
	vapid    receiving.Keys
}

func (p pair) job(endpoint string, standard bool, payload string) webpush.Job {
	return webpush.Job{
		Endpoint: endpoint, P256dh: p.receiver.Public(), Auth: p.receiver.Auth(), Standard: standard, Payload: []byte(payload),
		VapidPublic: p.vapid.Public(), VapidPrivate: p.vapid.Private(),
	}
}

const endpoint = "https://rostra.example:8443/hooks/mastodon/t0ken"

var _ = Describe("what a real sender encrypts", func() {
	payloads := map[string]string{
		"nothing":     "",
		"a text":      `{"notification_id":1,"body":"Grüße"}`,
		"a long text": strings.Repeat("watermelon ", 300),
	}
	for name, payload := range payloads {
		for _, standard := range []bool{true, false} {
			It("is read: "+name+map[bool]string{true: " as in RFC 8291", false: " as in its draft"}[standard], func(ctx SpecContext) {
				one := pair{receiver: newKeys(), vapid: newKeys()}
				header, body, err := sender.Encrypt(ctx, one.job(endpoint, standard, payload))
				Expect(err).NotTo(HaveOccurred())
				Expect(header.Get("Content-Encoding")).To(Equal(map[bool]string{true: "aes128gcm", false: "aesgcm"}[standard]))

				message, err := receiving.ReadMessage(header, body)
				Expect(err).NotTo(HaveOccurred())
				Expect(message.Decrypt(one.receiver)).To(BeEquivalentTo(payload))
				_, err = message.Decrypt(newKeys())
				Expect(err).To(MatchError(receiving.ErrDecrypt))

				signature, err := receiving.ReadVapid(header)
				Expect(err).NotTo(HaveOccurred())
				key, err := receiving.ParsePublicKey(one.vapid.Public())
				Expect(err).NotTo(HaveOccurred())
				Expect(signature.Names(key)).To(BeTrue())
				Expect(signature.Verify(endpoint, time.Now())).To(Succeed())
				Expect(signature.Verify("https://elsewhere.example/hooks", time.Now())).To(MatchError(receiving.ErrSignature))
				Expect(signature.Verify(endpoint, time.Now().Add(25*time.Hour))).To(MatchError(receiving.ErrStale))
			}, SpecTimeout(startTimeout))
		}
	}

	It("arrives where it is sent", func(ctx SpecContext) {
		one := pair{receiver: newKeys(), vapid: newKeys()}
		got := make(chan string, 1)
		callback := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer GinkgoRecover()
			body, err := io.ReadAll(r.Body)
			Expect(err).NotTo(HaveOccurred())
			message, err := receiving.ReadMessage(r.Header, body)
			Expect(err).NotTo(HaveOccurred())
			text, err := message.Decrypt(one.receiver)
			Expect(err).NotTo(HaveOccurred())
			got <- string(text)
			w.WriteHeader(http.StatusCreated)
		}))
		DeferCleanup(callback.Close)
		Expect(sender.Send(ctx, one.job(callback.URL+"/hooks/mastodon/t0ken", true, "hello"))).To(Equal(http.StatusCreated))
		Expect(got).To(Receive(Equal("hello")))
	}, SpecTimeout(startTimeout))

	It("is refused by the sender where the keys are none", func(ctx SpecContext) {
		broken := pair{receiver: newKeys(), vapid: newKeys()}.job(endpoint, true, "hello")
		broken.P256dh = "AAAA"
		_, _, err := sender.Encrypt(ctx, broken)
		Expect(err).To(MatchError(ContainSubstring("65 bytes")))
	}, SpecTimeout(startTimeout))
})

var _ = Describe("the install", func() {
	It("says which tool is missing", func() {
		shell, err := exec.LookPath("sh")
		Expect(err).NotTo(HaveOccurred())
		empty := GinkgoT().TempDir()
		for _, tool := range []string{"sh", "dirname"} {
			path, err := exec.LookPath(tool)
			Expect(err).NotTo(HaveOccurred())
			Expect(os.Symlink(path, filepath.Join(empty, tool))).To(Succeed())
		}
		Expect(shell).NotTo(BeEmpty())
		GinkgoT().Setenv("PATH", empty)
		_, err = webpush.Install(context.Background())
		Expect(err).To(MatchError(webpush.ErrUnavailable))
		Expect(err).To(MatchError(ContainSubstring("node is not in the PATH")))
	})
})

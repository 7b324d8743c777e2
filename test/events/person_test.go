// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// person is somebody with a browser that keeps cookies.
type person struct{ browser *http.Client }

func newPerson() person {
	GinkgoHelper()
	jar, err := cookiejar.New(nil)
	Expect(err).NotTo(HaveOccurred())
	return person{&http.Client{
		Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// opens gives the page at a URL.
func (p person) opens(ctx context.Context, url string) (status int, page string) {
	GinkgoHelper()
	status, page, _ = p.browse(ctx, http.MethodGet, url)
	return status, page
}

// begins opens a link to connect an account, presses the button, and gives
// where that leads.
func (p person) begins(ctx context.Context, link string) string {
	GinkgoHelper()
	status, page := p.opens(ctx, link)
	Expect(status).To(Equal(http.StatusOK), page)
	status, page, consent := p.browse(ctx, http.MethodPost, link)
	Expect(status).To(Equal(http.StatusSeeOther), page)
	return consent
}

func (p person) browse(ctx context.Context, method, url string) (status int, page, location string) {
	GinkgoHelper()
	request, err := http.NewRequestWithContext(ctx, method, url, http.NoBody)
	Expect(err).NotTo(HaveOccurred())
	response, err := p.browser.Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	Expect(err).NotTo(HaveOccurred())
	return response.StatusCode, string(content), response.Header.Get("Location")
}

// link waits until a channel shows where its account is connected.
func (w *world) link(ctx context.Context, name string) v1alpha1.ChannelAuthorization {
	GinkgoHelper()
	var link v1alpha1.ChannelAuthorization
	Eventually(func(g Gomega) {
		shown := w.get(ctx, name).Status.Authorization
		g.Expect(shown).NotTo(BeNil())
		link = *shown
	}).Should(Succeed())
	return link
}

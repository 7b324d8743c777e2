// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package httpx_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/rostra-dev/rostra/internal/httpx"
)

var _ = Describe("Metrics", func() {
	var registry *prometheus.Registry

	BeforeEach(func() { registry = prometheus.NewPedanticRegistry() })

	measured := func(o *httpx.Options) { o.Metrics = registry }

	It("count outcomes and show the breaker", func() {
		clk := newFakeClock()
		client := newClient(measured, func(o *httpx.Options) {
			o.Clock, o.BreakerAfter, o.BreakerOpenFor = clk, 2, time.Second
		})
		url, status, _ := answering(http.StatusServiceUnavailable)
		host := strings.TrimPrefix(url, "http://")
		for range 3 {
			_, _ = get(client, url+"/secret")
		}
		state := func(value int) string {
			return fmt.Sprintf("# HELP rostra_http_client_breaker_state Circuit breaker of a host: 0 closed, 1 half open, 2 open (the host is left alone for a while).\n"+
				"# TYPE rostra_http_client_breaker_state gauge\nrostra_http_client_breaker_state{host=%q} %d\n", host, value)
		}
		Expect(testutil.GatherAndCompare(registry, strings.NewReader(state(2)), "rostra_http_client_breaker_state")).To(Succeed())

		clk.Step(time.Second)
		status.Store(http.StatusNotFound)
		_, err := get(client, url)
		Expect(err).NotTo(HaveOccurred())
		_, err = client.Do(context.Background(), httpx.Request{URL: "::"})
		Expect(err).To(HaveOccurred())
		Expect(testutil.GatherAndCompare(registry, strings.NewReader(state(0)), "rostra_http_client_breaker_state")).To(Succeed())
		Expect(testutil.GatherAndCompare(registry, strings.NewReader(fmt.Sprintf(
			"# HELP rostra_http_client_requests_total Outbound requests by host and by outcome: the status class (2xx, 4xx, 5xx) or the kind of error.\n"+
				"# TYPE rostra_http_client_requests_total counter\n"+
				"rostra_http_client_requests_total{host=%[1]q,outcome=\"4xx\"} 1\n"+
				"rostra_http_client_requests_total{host=%[1]q,outcome=\"5xx\"} 2\n"+
				"rostra_http_client_requests_total{host=%[1]q,outcome=\"BreakerOpen\"} 1\n"+
				"rostra_http_client_requests_total{host=\"other\",outcome=\"InvalidRequest\"} 1\n", host)),
			"rostra_http_client_requests_total")).To(Succeed())
		Expect(testutil.GatherAndCount(registry, "rostra_http_client_request_duration_seconds")).To(Equal(2))
	})

	It("keep the number of hosts bounded", func() {
		client := newClient(measured, nothingAllowed)
		for i := range 1000 {
			_, err := get(client, fmt.Sprintf("http://127.0.%d.%d/", i/250, i%250+1))
			Expect(err).To(haveKind(httpx.KindAddressRefused))
		}
		Expect(testutil.GatherAndCount(registry, "rostra_http_client_requests_total")).To(Equal(201))
	})

	It("pass the lint of Prometheus", func() {
		_, _ = get(newClient(measured), closedPort())
		Expect(testutil.GatherAndLint(registry)).To(BeEmpty())
	})

	It("refuse a second client at the same registry", func() {
		newClient(measured)
		_, err := httpx.New(httpx.Options{UserAgent: "x", Metrics: registry})
		Expect(err).To(MatchError(ContainSubstring("metrics of the HTTP client")))
	})
})

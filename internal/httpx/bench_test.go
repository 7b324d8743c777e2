// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package httpx_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rostra-dev/rostra/internal/httpx"
)

// BenchmarkDo measures Do beside a plain http.Client against the same server on
// loopback, turn by turn in one run, so that the ratio holds on any machine.
func BenchmarkDo(b *testing.B) {
	body := make([]byte, 2<<10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
	defer server.Close()
	client, err := httpx.New(httpx.Options{
		UserAgent: "rostra-bench/1", AllowedPrivate: loopback, AccountRate: 1e9, AccountBurst: 1e9, Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer client.CloseIdleConnections()
	plain := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
	defer plain.CloseIdleConnections()

	var plainTime, ourTime time.Duration
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		viaPlain(b, plain, server.URL)
		middle := time.Now()
		if _, err := client.Do(b.Context(), httpx.Request{Account: "a", URL: server.URL}); err != nil {
			b.Fatal(err)
		}
		plainTime += middle.Sub(start)
		ourTime += time.Since(middle)
	}
	b.ReportMetric(float64(plainTime.Nanoseconds())/float64(b.N), "plain-ns/op")
	b.ReportMetric(float64(ourTime.Nanoseconds())/float64(b.N), "httpx-ns/op")
	b.ReportMetric(float64(ourTime)/float64(plainTime), "ratio")
}

func viaPlain(b *testing.B, client *http.Client, url string) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	_, err = io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		b.Fatal(err)
	}
}

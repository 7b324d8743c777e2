// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/notify"
)

// BenchmarkTell tells over loopback, without the limits that protect others.
func BenchmarkTell(b *testing.B) {
	at := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
	defer at.Close()
	client, err := httpx.New(httpx.Options{
		UserAgent: "rostra-test/1", AccountRate: 1e9, AccountBurst: 1e9,
		AllowedPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	})
	if err != nil {
		b.Fatal(err)
	}
	defer client.CloseIdleConnections()
	opener, err := notify.New(notify.Options{HTTP: client})
	if err != nil {
		b.Fatal(err)
	}
	for name, a := range map[string]notify.Address{
		"webhook":      address(at.URL, "signingSecret", signingSecret),
		"alertmanager": address("alertmanager+" + at.URL),
		"ntfy":         address("ntfy://" + at.Listener.Addr().String() + "/topic?disabletls=yes"),
	} {
		b.Run(name, func(b *testing.B) {
			notifier, err := opener.Open(a)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := notifier.Tell(b.Context(), told()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

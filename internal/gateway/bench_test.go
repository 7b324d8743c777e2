// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/gateway"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/platform"
)

// These measure the gateway through real HTTP on loopback, with clients that
// keep their connections, on the same processors:
//
//	go test -run '^$' -bench . ./internal/gateway
//
// BenchmarkFloor is what the server and the clients take without the gateway.
// The clients write requests as bytes and read answers with a bufio.Reader: the
// one of net/http takes more than the server that is measured.

// clients send at the same time.
const clients = 32

type counting struct{ events atomic.Int64 }

func (c *counting) Put(_ context.Context, events ...event.Event) error {
	c.events.Add(int64(len(events)))
	return nil
}

// serving runs the gateway on a Server, with limits that do not bind.
func serving(b *testing.B, stored gateway.Sink) (address string) {
	b.Helper()
	g, err := gateway.New(gateway.Options{
		Key: gatewayKey, BaseURL: base, Hooks: filledBook(), Sink: stored, Metrics: prometheus.NewRegistry(),
		Receiver: func(string, string) (platform.Receiver, bool) { return &toy{}, true },
		Limits:   gateway.Limits{EventsPerSecond: 1e9, EventsBurst: 1e9},
	})
	if err != nil {
		b.Fatal(err)
	}
	return listening(b, g.Handler())
}

func listening(b *testing.B, handler http.Handler) (address string) {
	b.Helper()
	server := gateway.NewServer("127.0.0.1:0", handler, logr.Discard())
	ctx, cancel := context.WithCancel(b.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- server.Start(ctx) }()
	NewWithT(b).Eventually(server.Addr).ShouldNot(BeNil())
	b.Cleanup(func() {
		cancel()
		if err := <-stopped; err != nil {
			b.Error(err)
		}
	})
	return server.Addr().String()
}

// load sends b.N requests from all clients, and reports rate and latency.
func load(b *testing.B, address string, request func(n int64) []byte, expected int) {
	b.Helper()
	var (
		next  atomic.Int64
		group sync.WaitGroup
		mu    sync.Mutex
		took  []time.Duration
	)
	b.ResetTimer()
	for range clients {
		group.Go(func() {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				b.Error(err)
				return
			}
			defer func() { _ = conn.Close() }()
			answers, own := bufio.NewReader(conn), []time.Duration(nil)
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				made := request(n)
				begun := time.Now()
				if err := exchange(conn, answers, made, expected); err != nil {
					b.Error(err)
					return
				}
				own = append(own, time.Since(begun))
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, own...)
		})
	}
	group.Wait()
	b.StopTimer()
	if len(took) == 0 {
		return
	}
	slices.Sort(took)
	b.ReportMetric(float64(len(took))/b.Elapsed().Seconds(), "requests/s")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

// exchange sends one request and reads its answer.
func exchange(conn net.Conn, answers *bufio.Reader, request []byte, expected int) error {
	if _, err := conn.Write(request); err != nil {
		return err
	}
	status, err := answers.ReadString('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(status, "HTTP/1.1 "+strconv.Itoa(expected)) {
		return fmt.Errorf("answered %q", status)
	}
	length := 0
	for {
		line, err := answers.ReadString('\n')
		if err != nil {
			return err
		}
		if line == "\r\n" {
			break
		}
		if size, ok := strings.CutPrefix(line, "Content-Length: "); ok {
			if length, err = strconv.Atoi(strings.TrimSpace(size)); err != nil {
				return err
			}
		}
	}
	_, err = answers.Discard(length)
	return err
}

// delivering makes signed deliveries of one event of about 1 KiB, each another.
func delivering(target, secret string) func(n int64) []byte {
	text := strings.Repeat("Where is my parcel? ", 45)
	return func(n int64) []byte {
		body := fmt.Sprintf(`{"Events":[{"ID":"event-%d","Kind":"Mention","Text":%q}]}`, n, text)
		return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: hooks.acme.example\r\nContent-Type: application/json\r\n%s: %s\r\nContent-Length: %d\r\n\r\n%s",
			target, toyHeader, sign(secret, body), len(body), body)
	}
}

func BenchmarkFloor(b *testing.B) {
	address := listening(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, 1<<20))
		w.WriteHeader(http.StatusAccepted)
	}))
	load(b, address, delivering("/", "secret-help"), http.StatusAccepted)
}

func BenchmarkDelivery(b *testing.B) {
	stored := &counting{}
	load(b, serving(b, stored), delivering(path(helpUID), "secret-help"), http.StatusAccepted)
	if stored.events.Load() != int64(b.N) {
		b.Fatalf("%d of %d stored", stored.events.Load(), b.N)
	}
}

func BenchmarkBadSignature(b *testing.B) {
	stored := &counting{}
	load(b, serving(b, stored), delivering(path(helpUID), "secret-guessed"), http.StatusUnauthorized)
	if stored.events.Load() != 0 {
		b.Fatal("stored what was not signed")
	}
}

func BenchmarkUnknownToken(b *testing.B) {
	load(b, serving(b, &counting{}), delivering(path(helpUID)+"A", "secret-help"), http.StatusNotFound)
}

// BenchmarkDurableDelivery puts events into a real inbox, whose rate depends on
// the disk's: "fsyncs/s" is what the disk does in the same run, alone, with
// writes of 1 KiB.
func BenchmarkDurableDelivery(b *testing.B) {
	dir := b.TempDir()
	rate := fsyncRate(b, dir)
	kept, err := inbox.Open(b.Context(), inbox.Options{Dir: filepath.Join(dir, "inbox"), MaxBytes: 8 << 30})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = kept.Close() })
	load(b, serving(b, kept), delivering(path(helpUID), "secret-help"), http.StatusAccepted)
	b.ReportMetric(rate, "fsyncs/s")
}

// fsyncRate writes and syncs for half a second.
func fsyncRate(b *testing.B, dir string) float64 {
	b.Helper()
	file, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	block, begun, count := make([]byte, 1024), time.Now(), 0
	for time.Since(begun) < 500*time.Millisecond {
		if _, err := file.Write(block); err != nil {
			b.Fatal(err)
		}
		if err := file.Sync(); err != nil {
			b.Fatal(err)
		}
		count++
	}
	return float64(count) / time.Since(begun).Seconds()
}

// BenchmarkHandler is the gateway's own part, without a network.
func BenchmarkHandler(b *testing.B) {
	g, err := gateway.New(gateway.Options{
		Key: gatewayKey, BaseURL: base, Hooks: filledBook(), Sink: &counting{}, Metrics: prometheus.NewRegistry(),
		Receiver: func(string, string) (platform.Receiver, bool) { return &toy{}, true },
		Limits:   gateway.Limits{EventsPerSecond: 1e9, EventsBurst: 1e9},
	})
	if err != nil {
		b.Fatal(err)
	}
	handler := g.Handler()
	for name, secret := range map[string]string{"delivery": "secret-help", "bad-signature": "secret-guessed"} {
		b.Run(name, func(b *testing.B) {
			request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(delivering(path(helpUID), secret)(1))))
			if err != nil {
				b.Fatal(err)
			}
			body, err := io.ReadAll(request.Body)
			if err != nil {
				b.Fatal(err)
			}
			request.RemoteAddr = "127.0.0.1:1"
			b.ReportAllocs()
			for b.Loop() {
				request.Body = readCloser{bytes.NewReader(body)}
				handler.ServeHTTP(nowhere{http.Header{}}, request)
			}
		})
	}
}

// nowhere is an answer that nobody gets.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header       { return n.header }
func (nowhere) WriteHeader(int)             {}
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

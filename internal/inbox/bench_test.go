// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/inbox"
)

// BenchmarkPut measures durable storing, by the number of callers, beside the
// rate of fsync that the same disk gives in the same run. "events/fsync" is the
// ratio of the two rates: 1 is what the disk allows without group commit.
//
//	go test -run '^$' -bench Put ./internal/inbox
func BenchmarkPut(b *testing.B) {
	for _, callers := range []int{1, 8, 64, 256} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			i := openFor(b, b.TempDir(), 8<<30)
			load(b, callers, func(n int) error { return i.Put(b.Context(), typical(n)) })
		})
	}
	// Replays beside new events, so that the server refuses every batch.
	b.Run("callers=64,replays=half", func(b *testing.B) {
		i := openFor(b, b.TempDir(), 8<<30)
		load(b, 64, func(n int) error { return i.Put(b.Context(), typical(n/2)) })
	})
	b.Run("http,callers=64", func(b *testing.B) {
		i := openFor(b, b.TempDir(), 8<<30)
		var next atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, 1<<20)); err != nil {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			if err := i.Put(r.Context(), typical(int(next.Add(1)))); err != nil {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}))
		defer server.Close()
		client := server.Client()
		client.Transport.(*http.Transport).MaxIdleConnsPerHost = 64
		body := strings.Repeat("x", 1024)
		load(b, 64, func(int) error {
			resp, err := client.Post(server.URL, "application/json", strings.NewReader(body))
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				return fmt.Errorf("status %d", resp.StatusCode)
			}
			return nil
		})
	})
}

// BenchmarkConsume measures handing out, to a handler that does nothing.
func BenchmarkConsume(b *testing.B) {
	i := openFor(b, b.TempDir(), 8<<30)
	var events []event.Event
	for n := range b.N {
		events = append(events, typical(n))
	}
	if err := i.Put(b.Context(), events...); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ResetTimer()
	err := i.Consume(ctx, "bench", inbox.Filter{}, func(context.Context, event.Event) error {
		if left.Add(-1) == 0 {
			b.StopTimer()
			cancel()
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkMillion measures what a million events within the duplicate window
// take: memory, and time at the next start.
//
//	go test -run '^$' -bench Million -benchtime 1x ./internal/inbox
func BenchmarkMillion(b *testing.B) {
	const million = 1_000_000
	for b.Loop() {
		dir := b.TempDir()
		before := heap()
		i := openFor(b, dir, 8<<30)
		var events []event.Event
		for n := range million {
			e := typical(n)
			e.Text = ""
			if events = append(events, e); len(events) == 500 {
				if err := i.Put(b.Context(), events...); err != nil {
					b.Fatal(err)
				}
				events = events[:0]
			}
		}
		events = nil
		running := heap() - before
		if err := i.Close(); err != nil {
			b.Fatal(err)
		}
		started := time.Now()
		i = openFor(b, dir, 8<<30)
		took := time.Since(started)
		b.ReportMetric(float64(running)/million, "bytes/event")
		b.ReportMetric(float64(heap()-before)/million, "bytes/event-restarted")
		b.ReportMetric(took.Seconds(), "s/start")
		b.ReportMetric(float64(used(b, dir))/million, "disk-bytes/event")
		if err := i.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// typical event of about 1 KiB, in one of 1,000 channels.
func typical(n int) event.Event {
	e := mention(n%1000, n)
	e.Text = strings.Repeat("x", 800)
	e.ReceivedAt = time.Unix(1_800_000_000, 0).UTC()
	return e
}

func openFor(b *testing.B, dir string, maxBytes int64) *inbox.Inbox {
	b.Helper()
	i, err := inbox.Open(b.Context(), inbox.Options{Dir: dir, MaxBytes: maxBytes})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = i.Close() })
	return i
}

// load lets callers call, b.N times together, and reports rate and latency
// beside the disk's own.
func load(b *testing.B, callers int, call func(n int) error) {
	b.Helper()
	floor := fsyncs(b)
	var next atomic.Int64
	latencies := make([]time.Duration, b.N)
	var group sync.WaitGroup
	b.ResetTimer()
	for range callers {
		group.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= b.N {
					return
				}
				started := time.Now()
				if err := call(n); err != nil {
					b.Error(err)
					return
				}
				latencies[n] = time.Since(started)
			}
		})
	}
	group.Wait()
	b.StopTimer()
	slices.Sort(latencies)
	rate := float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(rate, "events/s")
	b.ReportMetric(floor, "fsync/s")
	b.ReportMetric(rate/floor, "events/fsync")
	b.ReportMetric(float64(latencies[b.N/2])/1e6, "p50-ms")
	b.ReportMetric(float64(latencies[b.N*99/100])/1e6, "p99-ms")
}

// fsyncs is how often a second the disk appends and syncs 1 KiB.
func fsyncs(b *testing.B) float64 {
	b.Helper()
	file, err := os.Create(filepath.Join(b.TempDir(), "floor"))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	block := make([]byte, 1024)
	const count = 500
	started := time.Now()
	for range count {
		if _, err := file.Write(block); err != nil {
			b.Fatal(err)
		}
		if err := file.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	return count / time.Since(started).Seconds()
}

// heap in use, after collection.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// used is the size of everything in a folder.
func used(b *testing.B, dir string) int64 {
	b.Helper()
	var size int64
	err := filepath.Walk(dir, func(_ string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			size += info.Size()
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return size
}

// BenchmarkTable measures durable rows of 2 KiB, beside the disk's own rate as
// BenchmarkPut does: new rows, and a change of a row that there is.
//
//	go test -run '^$' -bench Table ./internal/inbox
func BenchmarkTable(b *testing.B) {
	value := []byte(strings.Repeat("x", 2048))
	for _, callers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("new,callers=%d", callers), func(b *testing.B) {
			table := tableFor(b)
			load(b, callers, func(n int) error {
				_, err := table.Put(b.Context(), fmt.Sprintf("key-%d", n), value, 0, 0)
				return err
			})
		})
		b.Run(fmt.Sprintf("change,callers=%d", callers), func(b *testing.B) {
			table := tableFor(b)
			free := make(chan changed, callers)
			for n := range callers {
				free <- changed{key: fmt.Sprintf("key-%d", n)}
			}
			load(b, callers, func(int) error {
				row := <-free
				var err error
				row.revision, err = table.Put(b.Context(), row.key, value, row.revision, 0)
				free <- row
				return err
			})
		})
	}
	b.Run("get", func(b *testing.B) {
		table := tableFor(b)
		if _, err := table.Put(b.Context(), "key", value, 0, 0); err != nil {
			b.Fatal(err)
		}
		load(b, 8, func(int) error {
			_, err := table.Get(b.Context(), "key")
			return err
		})
	})
}

// changed is a row that one caller at a time changes.
type changed struct {
	key      string
	revision uint64
}

// BenchmarkFollow measures handing out 100,000 rows of 2 KiB.
func BenchmarkFollow(b *testing.B) {
	table := tableFor(b)
	value := []byte(strings.Repeat("x", 2048))
	const rows = 100_000
	var group sync.WaitGroup
	for caller := range 256 {
		group.Go(func() {
			for n := caller; n < rows; n += 256 {
				if _, err := table.Put(b.Context(), fmt.Sprintf("key-%d", n), value, 0, 0); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	for b.Loop() {
		ctx, cancel := context.WithCancel(b.Context())
		count := 0
		if err := table.Follow(ctx, func(inbox.Row) { count++ }, cancel); err != nil || count != rows {
			b.Fatal(count, err)
		}
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkOutbox measures adding letters of 1 KiB, and delivering them.
func BenchmarkOutbox(b *testing.B) {
	data := []byte(strings.Repeat("x", 1024))
	box := func(b *testing.B) *inbox.Outbox {
		b.Helper()
		box, err := openFor(b, b.TempDir(), 1<<30).Outbox(b.Context(), inbox.OutboxOptions{Name: "bench", MaxBytes: 4 << 30, LaneLimit: 10_000_000})
		if err != nil {
			b.Fatal(err)
		}
		return box
	}
	add := func(b *testing.B, box *inbox.Outbox, n int) error {
		b.Helper()
		return box.Add(b.Context(), fmt.Sprintf("lane-%d", n%10), fmt.Sprint(n%1000), fmt.Sprint(n), data)
	}
	b.Run("add,callers=64", func(b *testing.B) {
		box := box(b)
		load(b, 64, func(n int) error { return add(b, box, n) })
	})
	b.Run("deliver,lanes=10", func(b *testing.B) {
		box := box(b)
		var group sync.WaitGroup
		for caller := range 256 {
			group.Go(func() {
				for n := caller; n < b.N; n += 256 {
					if err := add(b, box, n); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
		ctx, cancel := context.WithCancel(b.Context())
		defer cancel()
		var left atomic.Int64
		left.Store(int64(b.N))
		b.ResetTimer()
		for lane := range 10 {
			group.Go(func() {
				if err := box.Deliver(ctx, fmt.Sprintf("lane-%d", lane), func(context.Context, inbox.Letter) error {
					if left.Add(-1) == 0 {
						b.StopTimer()
						cancel()
					}
					return nil
				}); err != nil {
					b.Error(err)
				}
			})
		}
		group.Wait()
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "letters/s")
	})
}

func tableFor(b *testing.B) *inbox.Table {
	b.Helper()
	table, err := openFor(b, b.TempDir(), 1<<30).Table(b.Context(), inbox.TableOptions{Name: "bench", MaxBytes: 8 << 30})
	if err != nil {
		b.Fatal(err)
	}
	return table
}

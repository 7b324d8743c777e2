// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/dispatch"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/ledger"
	"github.com/rostra-dev/rostra/internal/notify"
	"github.com/rostra-dev/rostra/internal/rota"
)

// BenchmarkToldResponder measures the whole way from Put, through the rules of a
// route, to a told responder, with the embedded store and every row on disk. In
// the same run it gives what the disk allows ("fsync/s") and Put alone
// ("put/s"). Each event opens a conversation; of more than 10,000, people hear
// once a minute of what comes beyond five on their channel.
//
//	go test -run '^$' -bench ToldResponder -benchtime 10000x ./internal/dispatch
func BenchmarkToldResponder(b *testing.B) {
	syncs := fsyncs(b)
	alone := putAlone(b, b.N)
	box := openBox(b, b.TempDir())
	desk := newDesk()
	l, stop := serve(b, box, desk)
	defer stop()

	b.ResetTimer()
	put(b, box, b.N)
	for desk.told.Load() < int64(b.N) {
		select {
		case <-desk.more:
		case <-time.After(time.Minute):
			b.Fatalf("only %d of %d were told", desk.told.Load(), b.N)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(syncs, "fsync/s")
	b.ReportMetric(alone, "put/s")
	if got := len(l.List(ledger.Filter{})); got != b.N {
		b.Fatalf("%d conversations of %d events", got, b.N)
	}
}

// BenchmarkOpenConversations measures the memory that open conversations take in
// the process that keeps and dispatches them.
//
//	go test -run '^$' -bench OpenConversations -benchtime 1x ./internal/dispatch
func BenchmarkOpenConversations(b *testing.B) {
	const open = 100_000
	for b.Loop() {
		before := heap()
		l, err := ledger.New(ledger.Options{Table: &open100k{count: open}})
		if err != nil {
			b.Fatal(err)
		}
		ctx, stop := context.WithCancel(b.Context())
		ended := make(chan error, 1)
		go func() { ended <- l.Follow(ctx) }()
		<-l.InSync()
		b.ReportMetric(float64(heap()-before)/1e6, "MB/100k")
		b.ReportMetric(float64(heap()-before)/open, "bytes/conversation")
		if got := l.Figures("uid-1", time.Now()).Open; got == 0 {
			b.Fatal("none is open")
		}
		stop()
		<-ended
	}
}

// desk is a directory of 2,000 channels that one route serves, and counts who was
// told.
type desk struct {
	route   *escalation.Route
	sources *escalation.Sources
	told    atomic.Int64
	more    chan struct{}
}

const benchChannels = 2000

func newDesk() *desk {
	spec := &v1alpha1.EscalationRoute{}
	spec.Namespace, spec.Name = "social", "care"
	for n := range 5 {
		spec.Spec.Rules = append(spec.Spec.Rules, v1alpha1.EscalationRule{
			Name: fmt.Sprintf("rule-%d", n), When: fmt.Sprintf("event.text.matches('(?i)refund%d|chargeback')", n),
			Steps: []v1alpha1.EscalationStep{{Targets: []v1alpha1.EscalationTarget{manager("care")}}},
		})
	}
	spec.Spec.Steps = []v1alpha1.EscalationStep{{Targets: []v1alpha1.EscalationTarget{onDuty("care")}, Wait: &metav1.Duration{Duration: time.Hour}}}
	spec.Spec.Fallback = manager("care")
	team := &v1alpha1.Team{Spec: v1alpha1.TeamSpec{Manager: "maria", Members: []v1alpha1.TeamMember{{Name: "maria"}, {Name: "nina"}}}}
	team.Name = "care"
	declared := &v1alpha1.ResponderRota{Spec: v1alpha1.ResponderRotaSpec{TimeZone: "UTC", Layers: []v1alpha1.RotaLayer{layer("care", "nina")}}}
	schedule, _ := rota.Prepare(declared, nil, func(string) *v1alpha1.Team { return team })
	return &desk{
		route: escalation.Compile(spec), more: make(chan struct{}, 1),
		sources: &escalation.Sources{
			Rota:      func(string) *escalation.Rota { return &escalation.Rota{Schedule: schedule} },
			Team:      func(string) *v1alpha1.Team { return team },
			Reachable: func(*v1alpha1.Team, string) bool { return true },
		},
	}
}

// Channel implements dispatch.Directory.
func (d *desk) Channel(_ context.Context, name types.NamespacedName, uid string) (*dispatch.Channel, error) {
	return &dispatch.Channel{
		Escalation: escalation.Channel{Namespace: name.Namespace, Name: name.Name, Owner: "care"}, UID: uid, Platform: "Mastodon", Handle: "acme",
		Manager: escalation.Person{Team: "care", Name: "maria"}, Target: time.Hour, RouteName: "care", Route: d.route, Sources: d.sources, Excerpt: true,
	}, nil
}

// Ways implements dispatch.Directory.
func (d *desk) Ways(context.Context, escalation.Person) ([]notify.Notifier, dispatch.Recipient, error) {
	return []notify.Notifier{d}, dispatch.Recipient{}, nil
}

// Way implements notify.Notifier.
func (*desk) Way() string { return "pagerduty" }

// Tell implements notify.Notifier. A message about many says how many.
func (d *desk) Tell(_ context.Context, m notify.Message) error {
	count := int64(1)
	if strings.Contains(m.Title, "more conversations") {
		_, _ = fmt.Sscan(m.Title, &count)
	}
	d.told.Add(count)
	select {
	case d.more <- struct{}{}:
	default:
	}
	return nil
}

// openBox opens an embedded inbox.
func openBox(tb testing.TB, dir string) *inbox.Inbox {
	tb.Helper()
	box, err := inbox.Open(tb.Context(), inbox.Options{Dir: dir, MaxBytes: 4 << 30})
	if err != nil {
		tb.Fatal(err)
	}
	return box
}

// serve runs a ledger and a dispatcher on an inbox.
func serve(tb testing.TB, box *inbox.Inbox, directory dispatch.Directory) (l *ledger.Ledger, stop func()) {
	tb.Helper()
	rows, err := box.Table(tb.Context(), inbox.TableOptions{Name: "conversations", MaxBytes: 4 << 30, MaxValue: 128 << 10})
	if err != nil {
		tb.Fatal(err)
	}
	if l, err = ledger.New(ledger.Options{Table: rows}); err != nil {
		tb.Fatal(err)
	}
	d, err := dispatch.New(dispatch.Options{Events: box, Ledger: l, Directory: directory, Name: "rostra-0"})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(tb.Context())
	var group sync.WaitGroup
	group.Go(func() { _ = l.Follow(ctx) })
	group.Go(func() { _ = d.Start(ctx) })
	return l, func() {
		cancel()
		group.Wait()
		_ = box.Close()
	}
}

func put(b *testing.B, box *inbox.Inbox, count int) {
	b.Helper()
	const callers = 32
	var next atomic.Int64
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for n := int(next.Add(1)); n <= count; n = int(next.Add(1)) {
				if err := box.Put(b.Context(), typical(n)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
}

func putAlone(b *testing.B, count int) float64 {
	b.Helper()
	box := openBox(b, b.TempDir())
	defer func() { _ = box.Close() }()
	started := time.Now()
	put(b, box, count)
	return float64(count) / time.Since(started).Seconds()
}

// fsyncs gives how often a second the disk can write 1 KiB and sync.
func fsyncs(b *testing.B) float64 {
	b.Helper()
	file, err := os.Create(filepath.Join(b.TempDir(), "floor"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	block := []byte(strings.Repeat("x", 1024))
	started := time.Now()
	count := 0
	for ; time.Since(started) < time.Second; count++ {
		if _, err := file.Write(block); err != nil {
			b.Fatal(err)
		}
		if err := file.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	return float64(count) / time.Since(started).Seconds()
}

func typical(n int) event.Event {
	channel := n % benchChannels
	return event.Event{
		ID: fmt.Sprintf("event-%d", n), Kind: event.Mention, Platform: "Mastodon", AccountID: "acme",
		Channel: fmt.Sprintf("social/channel-%d", channel), ChannelUID: fmt.Sprintf("uid-%d", channel),
		Actor: event.Actor{ID: fmt.Sprintf("author-%d", n), Handle: fmt.Sprintf("author-%d", n)}, Text: strings.Repeat("where is my suitcase? ", 13),
		PostID: fmt.Sprintf("post-%d", n), ThreadID: fmt.Sprintf("post-%d", n), URL: fmt.Sprintf("https://mastodon.example/@author/%d", n),
		ReceivedAt: time.Now(),
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// open100k is a table that hands out conversations without keeping them.
type open100k struct {
	table
	count int
}

// Follow implements ledger.Table.
func (t *open100k) Follow(ctx context.Context, row func(inbox.Row), synced func()) error {
	now := time.Now()
	for n := range t.count {
		e := typical(n)
		c := conversation.Begin(&e, conversation.ThreadOf(&e))
		c.Hear(&e, conversation.Terms{Owner: "care", Route: "care", Target: time.Hour, Excerpt: true}, now)
		row(rowOf(c, uint64(n+1)))
	}
	synced()
	<-ctx.Done()
	return nil
}

func rowOf(c *conversation.Conversation, revision uint64) inbox.Row {
	value, err := json.Marshal(c)
	if err != nil {
		return inbox.Row{}
	}
	return inbox.Row{Key: c.ID, Value: value, Revision: revision}
}

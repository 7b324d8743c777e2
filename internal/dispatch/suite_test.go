// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

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

func TestDispatch(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second) // a busy machine is no failure
	RunSpecs(t, "dispatch")
}

// night is half past midnight in Sydney.
var night = time.Date(2026, 11, 20, 13, 30, 0, 0, time.UTC)

// table keeps rows in memory, and hands changes on at once.
type table struct {
	mu        sync.Mutex
	rows      map[string]inbox.Row
	last      uint64
	puts      int
	followers []func(inbox.Row)
	// before is called before a row is put; its error is Put's.
	before func(key string) error
	// after is called after a row was put; its error is Put's all the same.
	after func(key string) error
	// stale is what the next Get gives: a replica is behind. With mute, followers
	// are told of nothing.
	stale *inbox.Row
	mute  bool
}

func newTable() *table { return &table{rows: map[string]inbox.Row{}} }

func (t *table) Get(_ context.Context, key string) (inbox.Row, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if row := t.stale; row != nil && row.Key == key {
		t.stale = nil
		return *row, nil
	}
	row, ok := t.rows[key]
	if !ok {
		return inbox.Row{}, inbox.ErrNoRow
	}
	return row, nil
}

func (t *table) Put(_ context.Context, key string, value []byte, revision uint64, _ time.Duration) (uint64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.before != nil {
		if err := t.before(key); err != nil {
			return 0, err
		}
	}
	if t.rows[key].Revision != revision {
		return 0, inbox.ErrConflict
	}
	t.last++
	t.puts++
	t.rows[key] = inbox.Row{Key: key, Value: slices.Clone(value), Revision: t.last}
	if !t.mute {
		t.follow(t.rows[key])
	}
	if t.after != nil {
		return t.last, t.after(key)
	}
	return t.last, nil
}

func (t *table) follow(row inbox.Row) {
	for _, follow := range t.followers {
		follow(row)
	}
}

// unmute tells followers of all that they missed.
func (t *table) unmute() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mute = false
	for _, row := range t.rows {
		t.follow(row)
	}
}

func (t *table) Delete(_ context.Context, key string, _ uint64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	delete(t.rows, key)
	t.follow(inbox.Row{Key: key, Revision: t.last, Gone: true})
	return nil
}

func (t *table) Follow(ctx context.Context, row func(inbox.Row), synced func()) error {
	t.mu.Lock()
	for _, one := range t.rows {
		row(one)
	}
	synced()
	t.followers = append(t.followers, row)
	t.mu.Unlock()
	<-ctx.Done()
	return nil
}

// told is one message that somebody got, and closed one that ended.
type told struct {
	who, way string
	notify.Message
}

type closed struct {
	who, way string
	notify.Closing
}

// way tells one person.
type way struct {
	w    *world
	who  string
	name string
}

func (w *way) Way() string { return w.name }

func (w *way) Tell(_ context.Context, m notify.Message) error {
	if hook := w.w.onTell; hook != nil {
		if err := hook(w.who, w.name, m); err != nil {
			return err
		}
	}
	w.w.mu.Lock()
	defer w.w.mu.Unlock()
	w.w.told = append(w.w.told, told{w.who, w.name, m})
	return nil
}

func (w *way) Close(_ context.Context, c notify.Closing) error {
	if hook := w.w.onClose; hook != nil {
		if err := hook(w.who, w.name, c); err != nil {
			return err
		}
	}
	w.w.mu.Lock()
	defer w.w.mu.Unlock()
	w.w.closed = append(w.w.closed, closed{w.who, w.name, c})
	return nil
}

// world is one channel, who is there, and what they were told.
type world struct {
	// complete is what the platform tells of a message beyond its delivery.
	complete func(event.Event) event.Event
	clock    *clocktesting.FakeClock
	table    *table
	ledger   *ledger.Ledger
	metrics  *prometheus.Registry

	teams  map[string]*v1alpha1.Team
	rotas  map[string]*escalation.Rota
	route  *v1alpha1.EscalationRoute
	target time.Duration
	owner  string
	gone   bool
	// missing: the channel names a route that is not there.
	missing bool
	away    error
	// ways of people, by team/member; "alerts" for who is not in it.
	ways map[string][]string

	mu     sync.Mutex
	told   []told
	closed []closed
	onTell func(who, way string, m notify.Message) error
	// onClose is as onTell.
	onClose func(who, way string, c notify.Closing) error
	events  int
}

// newWorld has an airline: nina has the nights in Sydney and dana the days, maria
// is their manager, and ines the chief executive.
func newWorld() *world {
	w := &world{
		clock: clocktesting.NewFakeClock(night), table: newTable(), metrics: prometheus.NewRegistry(), owner: "care", target: time.Hour,
		teams: map[string]*v1alpha1.Team{}, rotas: map[string]*escalation.Rota{}, route: &v1alpha1.EscalationRoute{}, ways: map[string][]string{},
	}
	w.staff("care", "maria", "dana", "nina").staff("chief", "ines").staff("billing", "bea")
	w.rota("care", "Australia/Sydney",
		layer("care", "nina", v1alpha1.WeeklyWindow{From: "17:00", To: "09:00"}), layer("care", "dana", v1alpha1.WeeklyWindow{From: "09:00", To: "17:00"}))
	w.rota("billing", "UTC", layer("billing", "bea"))
	w.route.Namespace, w.route.Name = "social", "care"
	w.route.Spec.Steps = []v1alpha1.EscalationStep{step("15m", onDuty("care")), step("30m", manager("care"))}
	w.route.Spec.Fallback = manager("chief")
	w.ledger = w.newLedger()
	return w
}

func (w *world) newLedger() *ledger.Ledger {
	GinkgoHelper()
	l, err := ledger.New(ledger.Options{Table: w.table, Clock: w.clock})
	Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Follow(ctx) }()
	DeferCleanup(func() {
		cancel()
		Eventually(ended).Should(Receive(BeNil()))
	})
	Eventually(l.InSync()).Should(BeClosed())
	return l
}

// dispatcher makes a process of that name.
func (w *world) dispatcher(name string) *dispatch.Dispatcher { return w.dispatcherOn(name, w.ledger) }

func (w *world) dispatcherOn(name string, l *ledger.Ledger) *dispatch.Dispatcher {
	GinkgoHelper()
	d, err := dispatch.New(dispatch.Options{
		Events: none{}, Ledger: l, Directory: w, Clock: w.clock, Name: name,
		Complete: func(_ context.Context, e event.Event) event.Event {
			if w.complete == nil {
				return e
			}
			return w.complete(e)
		},
		Links: func(id string, episode int, who escalation.Person, _ time.Time) string {
			return fmt.Sprintf("https://rostra.example/ack/%s/%d/%s", id, episode, who)
		},
		Tickets: func(id string, episode int, who escalation.Person, turn string) string {
			return fmt.Sprintf("%s.%d.%s.%s", id, episode, turn, who)
		},
	})
	Expect(err).NotTo(HaveOccurred())
	d.Resume()
	return d
}

// none hands out nothing.
type none struct{}

func (none) Consume(ctx context.Context, _ string, _ inbox.Filter, _ inbox.Handle) error {
	<-ctx.Done()
	return nil
}

// Channel implements dispatch.Directory.
func (w *world) Channel(_ context.Context, name types.NamespacedName, uid string) (*dispatch.Channel, error) {
	if w.away != nil || w.gone {
		return nil, w.away
	}
	c := &dispatch.Channel{
		Escalation: escalation.Channel{Namespace: name.Namespace, Name: name.Name, Handle: "acme_help", Owner: w.owner},
		UID:        uid, Platform: "Mastodon", Handle: "acme_help", Target: w.target, Excerpt: true, Sources: w.sources(),
	}
	if team := w.teams[w.owner]; team != nil {
		c.Manager = escalation.Person{Team: team.Name, Name: team.Spec.Manager}
	}
	switch {
	case w.missing:
		c.RouteName = "care"
	case w.route != nil:
		c.RouteName, c.Route = w.route.Name, escalation.Compile(w.route)
	}
	return c, nil
}

// Ways implements dispatch.Directory.
func (w *world) Ways(_ context.Context, who escalation.Person) ([]notify.Notifier, dispatch.Recipient, error) {
	names, ok := w.ways[who.String()]
	if !ok {
		names = []string{"pagerduty"}
	}
	var ways []notify.Notifier
	for _, name := range names {
		ways = append(ways, &way{w: w, who: who.String(), name: name})
	}
	return ways, dispatch.Recipient{Email: who.Name + "@example.com"}, nil
}

func (w *world) sources() *escalation.Sources {
	return &escalation.Sources{
		Rota: func(name string) *escalation.Rota { return w.rotas[name] },
		Team: func(name string) *v1alpha1.Team { return w.teams[name] },
		Reachable: func(team *v1alpha1.Team, member string) bool {
			names, ok := w.ways[team.Name+"/"+member]
			return !ok || len(names) > 0
		},
	}
}

func (w *world) staff(team string, members ...string) *world {
	made := &v1alpha1.Team{ObjectMeta: metav1.ObjectMeta{Name: team}, Spec: v1alpha1.TeamSpec{Manager: members[0]}}
	for _, name := range members {
		made.Spec.Members = append(made.Spec.Members, v1alpha1.TeamMember{Name: name})
	}
	w.teams[team] = made
	return w
}

func (w *world) rota(name, zone string, layers ...v1alpha1.RotaLayer) {
	declared := &v1alpha1.ResponderRota{Spec: v1alpha1.ResponderRotaSpec{TimeZone: zone, Layers: layers}}
	schedule, _ := rota.Prepare(declared, nil, func(team string) *v1alpha1.Team { return w.teams[team] })
	w.rotas[name] = &escalation.Rota{Schedule: schedule}
}

func layer(team, member string, windows ...v1alpha1.WeeklyWindow) v1alpha1.RotaLayer {
	return v1alpha1.RotaLayer{
		Name: "of-" + member, TeamRef: v1alpha1.ClusterReference{Name: team}, Members: []string{member}, Windows: windows,
	}
}

func step(wait string, targets ...v1alpha1.EscalationTarget) v1alpha1.EscalationStep {
	length, err := time.ParseDuration(wait)
	Expect(err).NotTo(HaveOccurred())
	return v1alpha1.EscalationStep{Targets: targets, Wait: &metav1.Duration{Duration: length}}
}

func onDuty(rota string) v1alpha1.EscalationTarget {
	return v1alpha1.EscalationTarget{ResponderRotaRef: &v1alpha1.LocalReference{Name: rota}}
}

func manager(team string) v1alpha1.EscalationTarget {
	return v1alpha1.EscalationTarget{TeamRef: &v1alpha1.ClusterReference{Name: team}, Role: v1alpha1.RoleManager}
}

// mention is a stranger's post on the channel.
func (w *world) mention(author, text string) event.Event {
	w.events++
	return event.Event{
		ID: fmt.Sprintf("event-%d", w.events), Kind: event.Mention, Platform: "Mastodon", AccountID: "acme",
		Channel: "social/acme-help", ChannelUID: "uid-1", Actor: event.Actor{ID: author, Handle: author}, Text: text,
		PostID: fmt.Sprintf("post-%d", w.events), ThreadID: fmt.Sprintf("post-%d", w.events),
		URL: fmt.Sprintf("https://mastodon.example/@%s/%d", author, w.events), OccurredAt: w.clock.Now(), ReceivedAt: w.clock.Now(),
	}
}

// answer is the account's own post in reply to another.
func (w *world) answer(to event.Event) event.Event {
	e := w.mention("acme", "")
	e.Kind, e.InReplyTo, e.ThreadID = event.OwnPost, to.PostID, to.ThreadID
	return e
}

// more is what the author of a post writes after it, in its thread.
func (w *world) more(after event.Event) event.Event {
	e := w.mention(after.Actor.ID, "and another thing")
	e.Kind, e.InReplyTo, e.ThreadID = event.Reply, after.PostID, after.ThreadID
	return e
}

// who was told, in order, as "team/member".
func (w *world) who() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	names := []string{}
	for _, one := range w.told {
		names = append(names, one.who)
	}
	return names
}

func (w *world) over() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	names := []string{}
	for _, one := range w.closed {
		names = append(names, one.who)
	}
	return names
}

// only is the one conversation that there is.
func (w *world) only() *conversation.Conversation {
	GinkgoHelper()
	all := w.ledger.List(ledger.Filter{})
	Expect(all).To(HaveLen(1))
	c, err := w.ledger.Get(context.Background(), all[0].ID)
	Expect(err).NotTo(HaveOccurred())
	return c
}

var errDown = errors.New("pagerduty: api.example answered 503")

// open are the incidents that a receiver has open, which takes an end also for
// what it has not heard of.
func (w *world) open() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	names := []string{}
	for _, one := range w.told {
		over := slices.ContainsFunc(w.closed, func(c closed) bool { return c.Incident == one.Incident && !c.Acknowledged })
		if !over && !slices.Contains(names, one.Incident) {
			names = append(names, one.Incident)
		}
	}
	return names
}

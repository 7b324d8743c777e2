// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package forward_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/forward"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/webhook"
)

// suite is what bubbles belong to.
var suite *testing.T

func TestForward(t *testing.T) {
	suite = t
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second) // a busy machine is no failure
	RunSpecs(t, "forward")
}

// bubble runs a spec in a world whose time goes by when everybody waits.
func bubble(spec func(w *world)) func() {
	return func() {
		synctest.Test(suite, func(*testing.T) {
			defer GinkgoRecover()
			w := newWorld()
			defer func() { w.end() }()
			spec(w)
		})
	}
}

// after lets time go by, and everybody do what is to be done by then.
func after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// Every spec must leave no goroutine behind. This is registered first, so it
// looks after all other clean-ups have run.
var _ = BeforeEach(func() {
	before := goleak.IgnoreCurrent()
	DeferCleanup(func() { Expect(goleak.Find(before)).To(Succeed()) })
})

// happened is when it happened, by the platform's clock.
var happened = time.Date(1999, 11, 22, 8, 0, 0, 0, time.UTC)

// Two teams, and a channel that belongs to one of them.
const (
	care, press = "care", "press"
	helpUID     = "11111111-1111-4111-8111-111111111111"
	newsUID     = "22222222-2222-4222-8222-222222222222"
)

// mention is one in a thread of a channel.
func mention(uid, thread string, number int) event.Event {
	names := map[string]string{helpUID: "social/acme-help", newsUID: "social/acme-news"}
	return event.Event{
		ID: fmt.Sprintf("%s-%d", thread, number), Kind: event.Mention, Platform: "Mastodon", Channel: names[uid], ChannelUID: uid,
		Actor: event.Actor{ID: "7", Handle: "jo@example.com"}, Text: fmt.Sprintf("hello %d", number),
		PostID: fmt.Sprintf("post-%d", number), ThreadID: thread, OccurredAt: happened, ReceivedAt: happened.Add(time.Second),
	}
}

// idOf is the CloudEvent's ID of a mention.
func idOf(uid, thread string, number int) string { return fmt.Sprintf("%s/%s-%d", uid, thread, number) }

func idsOf(uid, thread string, from, to int) []string {
	var ids []string
	for n := from; n <= to; n++ {
		ids = append(ids, idOf(uid, thread, n))
	}
	return ids
}

// directory is who owns what.
type directory struct {
	mu     sync.Mutex
	owners map[string]string // team by the channel's UID
	sinks  map[string]*webhook.Target
	broken map[string]error // what reading a team's sink fails with
	down   error
}

func (d *directory) Owner(_ context.Context, name types.NamespacedName, uid string) (*forward.Owner, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	team, ok := d.owners[uid]
	if d.down != nil || !ok {
		return nil, d.down
	}
	return &forward.Owner{Team: team, Sink: d.sinks[team] != nil, Channel: forward.Channel{
		Namespace: name.Namespace, Name: name.Name, UID: uid, Platform: "Mastodon", Handle: "@help@social.example", Owner: team,
	}}, nil
}

func (d *directory) Sinks(context.Context) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var teams []string
	for team := range d.sinks {
		teams = append(teams, team)
	}
	return teams, d.down
}

func (d *directory) Sink(_ context.Context, team string) (*webhook.Target, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := errors.Join(d.down, d.broken[team]); err != nil {
		return nil, err
	}
	return d.sinks[team], nil
}

func (d *directory) change(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

// sinkOf is the sink of a team; the version tells one of its secrets from
// another.
func sinkOf(team, version string) *webhook.Target {
	return &webhook.Target{
		URL:     credentials.NewValue("https://desk.example/" + team),
		Secrets: []credentials.Value{credentials.NewValue("whsec_" + version)},
	}
}

// try is one try of a letter.
type try struct {
	url, id string
	at      time.Time
	event   webhook.Event
}

// wire is where tries go. What it answers is by the URL.
type wire struct {
	start time.Time
	mu    sync.Mutex
	tries []try
	// answer gives an error for a try that fails; nil accepts all.
	answer   func(url, id string) error
	accepted []try
}

func (w *wire) Send(ctx context.Context, target webhook.Target, e webhook.Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	t := try{target.URL.Reveal(), e.ID, time.Now(), e}
	w.tries = append(w.tries, t)
	if w.answer != nil {
		if err := w.answer(t.url, t.id); err != nil {
			return err
		}
	}
	w.accepted = append(w.accepted, t)
	return nil
}

func (w *wire) answers(answer func(url, id string) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = answer
}

// to gives the IDs that a team's sink accepted, in their order.
func (w *wire) to(team string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var ids []string
	for _, t := range w.accepted {
		if t.url == sinkOf(team, "").URL.Reveal() {
			ids = append(ids, t.id)
		}
	}
	return ids
}

// tried are all tries, and took those that were accepted.
func (w *wire) tried() []try {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.tries)
}

func (w *wire) took() []try {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.accepted)
}

// in keeps the IDs that begin so.
func in(ids []string, prefix string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return len(id) < len(prefix) || id[:len(prefix)] != prefix })
}

// triesOf gives when a letter was tried, as time since the start.
func (w *wire) triesOf(id string) []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	var at []time.Duration
	for _, t := range w.tries {
		if t.id == id {
			at = append(at, t.at.Sub(w.start))
		}
	}
	return at
}

// status is a failure with an answer, and what the receiver asks for.
func status(code int, retryAfter time.Duration) error {
	failure := &webhook.Failure{Status: code, Permanent: webhook.PermanentStatus(code), RetryAfter: retryAfter}
	return fmt.Errorf("desk.example answered %d%w", code, failure)
}

// kept is a letter in the outbox.
type kept struct {
	forward.Letter
	lane, order string
	busy        bool
}

// outbox keeps letters in memory, as long as the spec.
type outbox struct {
	mu         sync.Mutex
	letters    []*kept
	seen       map[string]bool
	refuse     func(lane string) error
	delivering map[string]int
	moved      chan struct{}
	backlog    int64 // letters of every lane that are said to wait too
	broken     error // what Deliver ends with
}

func newOutbox() *outbox {
	return &outbox{seen: map[string]bool{}, delivering: map[string]int{}, moved: make(chan struct{})}
}

func (o *outbox) Add(_ context.Context, lane, order, id string, data []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.refuse != nil {
		if err := o.refuse(lane); err != nil {
			return err
		}
	}
	if !o.seen[id] {
		o.seen[id] = true
		o.letters = append(o.letters, &kept{Letter: forward.Letter{ID: id, Data: data, Added: time.Now()}, lane: lane, order: order})
		o.change()
	}
	return nil
}

func (o *outbox) refuses(refuse func(lane string) error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refuse = refuse
}

func (o *outbox) change() {
	close(o.moved)
	o.moved = make(chan struct{})
}

func (o *outbox) Deliver(ctx context.Context, lane string, handle func(context.Context, forward.Letter) error) error {
	var handling sync.WaitGroup
	defer handling.Wait()
	o.mu.Lock()
	o.delivering[lane]++
	o.mu.Unlock()
	defer func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.delivering[lane]--
	}()
	for {
		o.mu.Lock()
		moved, broken := o.moved, o.broken
		for _, next := range o.ready(lane) {
			next.busy = true
			next.Tries++
			handling.Go(func() { o.done(next, handle(ctx, next.Letter)) })
		}
		o.mu.Unlock()
		if broken != nil {
			return broken
		}
		select {
		case <-ctx.Done():
			return nil
		case <-moved:
		}
	}
}

// ready are the first letters of each order in a lane that nobody has in hand.
func (o *outbox) ready(lane string) []*kept {
	var ready []*kept
	orders := map[string]bool{}
	for _, letter := range o.letters {
		if letter.lane != lane || orders[letter.order] {
			continue
		}
		orders[letter.order] = true
		if !letter.busy {
			ready = append(ready, letter)
		}
	}
	return ready
}

func (o *outbox) done(letter *kept, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	letter.busy = false
	if err == nil {
		o.letters = slices.DeleteFunc(o.letters, func(k *kept) bool { return k == letter })
	}
	o.change()
}

func (o *outbox) Waiting(_ context.Context, lane string) (count int64, oldest time.Time, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, letter := range o.letters {
		if letter.lane == lane {
			count++
			if count == 1 {
				oldest = letter.Added
			}
		}
	}
	return count + o.backlog, oldest, nil
}

func (o *outbox) Lanes(context.Context) ([]string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var lanes []string
	for _, letter := range o.letters {
		if !slices.Contains(lanes, letter.lane) {
			lanes = append(lanes, letter.lane)
		}
	}
	return lanes, nil
}

func (o *outbox) waiting(lane string) int64 {
	count, _, _ := o.Waiting(context.Background(), lane)
	return count
}

func (o *outbox) delivers(lane string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.delivering[lane]
}

// source hands out events.
type source struct {
	mu     sync.Mutex
	name   string
	filter inbox.Filter
	handle inbox.Handle
	calls  int
	fail   error
}

func (s *source) Consume(ctx context.Context, name string, filter inbox.Filter, handle inbox.Handle) error {
	s.mu.Lock()
	s.name, s.filter, s.handle = name, filter, handle
	s.calls++
	fail := s.fail
	s.mu.Unlock()
	if fail != nil {
		return fail
	}
	<-ctx.Done()
	return nil
}

func (s *source) consumed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// said is what the forwarder told.
type said struct {
	mu  sync.Mutex
	all []string
}

func (s *said) add(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, text)
}

func (s *said) list() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.all)
}

// logbook keeps what is logged.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logbook) logger() logr.Logger {
	return funcr.New(func(prefix, args string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		fmt.Fprintln(&b.text, prefix, args)
	}, funcr.Options{Verbosity: 9})
}

func (b *logbook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// world is what one spec works with.
type world struct {
	start     time.Time
	directory *directory
	outbox    *outbox
	wire      *wire
	source    *source
	said      *said
	log       *logbook
	metrics   *prometheus.Registry
	forwarder *forward.Forwarder
	end       func()
}

// newWorld has a help channel, which care owns, and a news channel, which press
// owns, each with a sink.
func newWorld() *world {
	start := time.Now()
	return &world{
		start: start, outbox: newOutbox(), wire: &wire{start: start}, source: &source{}, said: &said{}, log: &logbook{},
		metrics: prometheus.NewRegistry(), end: func() {}, directory: &directory{
			owners: map[string]string{helpUID: care, newsUID: press},
			sinks:  map[string]*webhook.Target{care: sinkOf(care, "1"), press: sinkOf(press, "1")}, broken: map[string]error{},
		},
	}
}

func (w *world) options() forward.Options {
	return forward.Options{
		Events: w.source, Outbox: w.outbox, Directory: w.directory, Sender: w.wire, Clock: clock.RealClock{}, Metrics: w.metrics,
		Logger: w.log.logger(),
		OnTrouble: func(team, problem string, since time.Time) {
			w.said.add(fmt.Sprintf("%s since %s at %s: %s", team, since.Sub(w.start), time.Since(w.start), problem))
		},
		OnRecovered: func(team string) { w.said.add(fmt.Sprintf("%s recovered at %s", team, time.Since(w.start))) },
	}
}

// run starts forwarding.
func (w *world) run() {
	GinkgoHelper()
	var err error
	w.forwarder, err = forward.New(w.options())
	Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.forwarder.Start(ctx) }()
	w.end = sync.OnceFunc(func() {
		cancel()
		Expect(<-ended).NotTo(HaveOccurred())
	})
	synctest.Wait()
}

// hear has events come in, which are routed one after the other.
func (w *world) hear(events ...event.Event) {
	GinkgoHelper()
	for _, e := range events {
		Expect(w.source.handle(context.Background(), e)).To(Succeed())
	}
	synctest.Wait()
}

// poke says that teams changed.
func (w *world) poke() {
	w.forwarder.Poke()
	synctest.Wait()
}

func (w *world) figure(name string, labels ...string) float64 {
	GinkgoHelper()
	families, err := w.metrics.Gather()
	Expect(err).NotTo(HaveOccurred())
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if family.GetName() != name || len(labels) == 2 && metric.GetLabel()[0].GetValue() != labels[1] {
				continue
			}
			return metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
		}
	}
	return -1
}

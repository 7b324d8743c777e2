// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package duty reads rotas out of the cache for every reconciler that asks who
// is on duty. A rota is prepared once a change, however many channels are on
// it, and what a promise of coverage comes to is worked out once a day.
package duty

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/ownership"
	"github.com/rostra-dev/rostra/internal/rota"
)

// Book holds the rotas that were read, as long as nothing in them changes. It
// is safe for concurrent use.
type Book struct {
	reader client.Reader

	mu    sync.Mutex
	pages map[types.NamespacedName]*Page
}

// NewBook reads from a cache that has the indexes of Index.
func NewBook(reader client.Reader) *Book {
	return &Book{reader: reader, pages: map[types.NamespacedName]*Page{}}
}

// Page is one rota, prepared. It must not be changed.
type Page struct {
	// Schedule answers who is on duty.
	Schedule *rota.Schedule
	// Problems are what could not be read.
	Problems []rota.Problem
	// Overrides of the rota, by name.
	Overrides []v1alpha1.RotaOverride
	// Deleting: the rota is being deleted.
	Deleting bool
	// Teams that the rota and its overrides name and that exist, by name.
	Teams map[string]*v1alpha1.Team

	version string

	mu       sync.Mutex
	atHand   *rota.Segment
	assessed map[string]assessed
}

// Find gives a rota, or nil if there is none of that name.
func (b *Book) Find(ctx context.Context, name types.NamespacedName) (*Page, error) {
	object := &v1alpha1.ResponderRota{}
	if err := b.reader.Get(ctx, name, object); err != nil {
		if apierrors.IsNotFound(err) {
			b.forget(name)
			return nil, nil
		}
		return nil, err
	}
	page, err := b.gather(ctx, object)
	if err != nil {
		return nil, err
	}
	if known := b.known(name); known != nil && known.version == page.version {
		return known, nil
	}
	// Outside the lock: a rota that takes long keeps no other waiting.
	page.Schedule, page.Problems = rota.Prepare(object, page.Overrides, func(team string) *v1alpha1.Team { return page.Teams[team] })
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pages[name] = page
	return page, nil
}

func (b *Book) known(name types.NamespacedName) *Page {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pages[name]
}

func (b *Book) forget(name types.NamespacedName) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.pages, name)
}

// gather collects what a rota is made of, and the versions of it.
func (b *Book) gather(ctx context.Context, object *v1alpha1.ResponderRota) (*Page, error) {
	overrides := &v1alpha1.RotaOverrideList{}
	if err := b.reader.List(ctx, overrides, client.InNamespace(object.Namespace), client.MatchingFields{rotaIndex: object.Name}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	slices.SortFunc(overrides.Items, func(x, y v1alpha1.RotaOverride) int { return strings.Compare(x.Name, y.Name) })
	page := &Page{Overrides: overrides.Items, Deleting: object.DeletionTimestamp != nil, Teams: map[string]*v1alpha1.Team{}, assessed: map[string]assessed{}}
	version := []string{versionOf(object)}
	for i := range overrides.Items {
		version = append(version, versionOf(&overrides.Items[i]))
	}
	for _, name := range teamsOf(object, overrides.Items) {
		team := &v1alpha1.Team{}
		err := b.reader.Get(ctx, types.NamespacedName{Name: name}, team)
		if apierrors.IsNotFound(err) {
			version = append(version, name)
			continue
		}
		if err != nil {
			return nil, err
		}
		page.Teams[name] = team
		version = append(version, versionOf(team))
	}
	page.version = strings.Join(version, ",")
	return page, nil
}

func versionOf(object metav1.Object) string {
	return object.GetName() + "/" + string(object.GetUID()) + "/" + strconv.FormatInt(object.GetGeneration(), 10)
}

// teamsOf are the names of the teams that a rota and its overrides name, in
// order, each once.
func teamsOf(object *v1alpha1.ResponderRota, overrides []v1alpha1.RotaOverride) []string {
	var names []string
	for _, layer := range object.Spec.Layers {
		names = append(names, layer.TeamRef.Name)
	}
	for i := range overrides {
		names = append(names, overrides[i].Spec.TeamRef.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// current is the duty at hand, found once until it changes.
func (p *Page) current(now time.Time) rota.Segment {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.atHand
	if known == nil || known.From.IsZero() || now.Before(known.From) || known.Until.IsZero() || !now.Before(known.Until) {
		known = new(p.Schedule.Current(now))
		p.atHand = known
	}
	return *known
}

// NextChange is when somebody else is on duty than now, or nobody; zero if that
// is not within a year.
func (p *Page) NextChange(now time.Time) time.Time { return p.current(now).Until }

// NextEvent is when an override of the rota begins or ends next, or somebody
// joins or leaves one of its teams; zero for never.
func (p *Page) NextEvent(after time.Time) time.Time {
	var next time.Time
	consider := func(at time.Time) {
		if at.After(after) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	for i := range p.Overrides {
		consider(p.Overrides[i].Spec.From.Time)
		consider(p.Overrides[i].Spec.Until.Time)
	}
	for _, team := range p.Teams {
		consider(ownership.NextChange(team, after))
	}
	return next
}

// OnCall is what a status says of who is on duty now; nil for nobody.
func (p *Page) OnCall(now time.Time) *v1alpha1.OnCall {
	current := p.current(now)
	if current.Nobody() {
		return nil
	}
	onCall := &v1alpha1.OnCall{
		Member: current.Member, Team: current.Team, Layer: current.Layer,
		Since: timeOrNil(current.From), Until: timeOrNil(current.Until),
	}
	if !current.Until.IsZero() {
		onCall.Next = p.Schedule.At(current.Until).Member
	}
	return onCall
}

// Verdict is what a promise comes to.
type Verdict struct {
	rota.Assessment
	// Zone of the promise.
	Zone *time.Location
	// Problems are what could not be read of it.
	Problems []rota.Problem
}

// Assess is what a promise comes to, seen from now. It is worked out once until
// it changes by itself.
func (p *Page) Assess(coverage v1alpha1.ChannelCoverage, now time.Time) (Verdict, error) {
	key, err := json.Marshal(coverage)
	if err != nil {
		return Verdict{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	known, ok := p.assessed[string(key)]
	if !ok || !now.Before(known.Until) || now.Before(known.since) {
		promise, problems := rota.NewPromise(coverage, p.Schedule.Location())
		known = assessed{since: now, Verdict: Verdict{Assessment: rota.Assess(p.Schedule, promise, now), Zone: promise.Location(), Problems: problems}}
		p.assessed[string(key)] = known
	}
	return known.Verdict, nil
}

// assessed is a verdict, and since when it holds: a clock may be set back.
type assessed struct {
	Verdict
	since time.Time
}

// Coverage is an assessment as a status says it.
func Coverage(assessment rota.Assessment) *v1alpha1.Coverage {
	coverage := &v1alpha1.Coverage{
		Percent:          new(assessment.Percent),
		UncoveredPerWeek: &metav1.Duration{Duration: assessment.UncoveredPerWeek},
	}
	for _, gap := range assessment.Gaps[:min(len(assessment.Gaps), maxGaps)] {
		coverage.Gaps = append(coverage.Gaps, v1alpha1.CoverageGap{Start: metav1.NewTime(gap.From), End: metav1.NewTime(gap.Until)})
	}
	if len(coverage.Gaps) > 0 {
		coverage.NextGap = &coverage.Gaps[0]
	}
	return coverage
}

// maxGaps bounds the gaps that a status lists; see the schema.
const maxGaps = 16

func timeOrNil(at time.Time) *metav1.Time {
	if at.IsZero() {
		return nil
	}
	return new(metav1.NewTime(at))
}

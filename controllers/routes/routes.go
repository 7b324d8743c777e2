// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package routes reads escalation routes out of the cache for every reconciler
// that asks who would be told. The rules of a route are compiled once a change,
// however many channels take it.
package routes

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/duty"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/ownership"
)

// Book holds the routes that were read, as long as nothing in them changes. It
// is safe for concurrent use.
type Book struct {
	reader, secrets client.Reader
	duty            *duty.Book
	// compiler compiles a route; making sees to it that each version of one is
	// compiled by one caller while the others wait for it.
	compiler func(*v1alpha1.EscalationRoute) *escalation.Route
	making   singleflight.Group

	mu       sync.Mutex
	compiled map[types.NamespacedName]compiled
}

// compiled is a route, and the version that it was made of.
type compiled struct {
	version string
	route   *escalation.Route
}

// NewBook reads from a cache that has the indexes of Index and of duty.Index.
// secrets reads the metadata of Secrets.
func NewBook(reader, secrets client.Reader, rotas *duty.Book) *Book {
	return &Book{reader: reader, secrets: secrets, duty: rotas, compiler: escalation.Compile, compiled: map[types.NamespacedName]compiled{}}
}

// Page is one route, with all that it names.
type Page struct {
	// Object is the caller's own copy.
	Object *v1alpha1.EscalationRoute
	// Route answers who is told.
	Route *escalation.Route

	rotas map[string]*duty.Page
	teams map[string]*v1alpha1.Team
}

// Find gives a route, or nil if there is none of that name.
func (b *Book) Find(ctx context.Context, name types.NamespacedName) (*Page, error) {
	object := &v1alpha1.EscalationRoute{}
	if err := b.reader.Get(ctx, name, object); err != nil {
		if apierrors.IsNotFound(err) {
			b.forget(name)
			return nil, nil
		}
		return nil, err
	}
	page := &Page{Object: object, Route: b.compile(name, object), rotas: map[string]*duty.Page{}, teams: map[string]*v1alpha1.Team{}}
	for _, rota := range escalation.Rotas(object) {
		found, err := b.duty.Find(ctx, types.NamespacedName{Namespace: name.Namespace, Name: rota})
		if err != nil {
			return nil, err
		}
		if found == nil {
			continue
		}
		page.rotas[rota] = found
		maps.Copy(page.teams, found.Teams)
	}
	return page, b.gatherTeams(ctx, page)
}

// gatherTeams reads the teams that the route names itself.
func (b *Book) gatherTeams(ctx context.Context, page *Page) error {
	for _, name := range escalation.Teams(page.Object) {
		if page.teams[name] != nil {
			continue
		}
		team := &v1alpha1.Team{}
		err := b.reader.Get(ctx, types.NamespacedName{Name: name}, team)
		if apierrors.IsNotFound(err) {
			continue // the route says so itself
		}
		if err != nil {
			return err
		}
		page.teams[name] = team
	}
	return nil
}

// compile makes a route ready, unless it is: each version once, however many
// channels ask at the same time. It does so outside the lock: a route that takes
// long keeps no other waiting.
func (b *Book) compile(name types.NamespacedName, object *v1alpha1.EscalationRoute) *escalation.Route {
	version := string(object.UID) + "/" + strconv.FormatInt(object.Generation, 10)
	if known := b.known(name); known.version == version {
		return known.route
	}
	made, _, _ := b.making.Do(name.String()+"@"+version, func() (any, error) {
		// It may have been made since it was looked for.
		if known := b.known(name); known.version == version {
			return known, nil
		}
		fresh := compiled{version, b.compiler(object)}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.compiled[name] = fresh
		return fresh, nil
	})
	latest, _ := made.(compiled) // nothing else is returned above
	return latest.route
}

func (b *Book) known(name types.NamespacedName) compiled {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.compiled[name]
}

func (b *Book) forget(name types.NamespacedName) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.compiled, name)
}

// NextChange is when somebody else may be told than now, without anybody
// changing anything; zero if that is not within a year.
func (p *Page) NextChange(now time.Time) time.Time {
	var next time.Time
	consider := func(at time.Time) {
		if at.After(now) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	for _, rota := range p.rotas {
		consider(rota.NextChange(now))
		consider(rota.NextEvent(now))
	}
	for _, team := range p.teams {
		consider(ownership.NextChange(team, now))
	}
	return next
}

// Look is what a route comes to at an instant.
type Look struct {
	// Round is for an event that no rule matches, or none before one that takes
	// them all.
	Round escalation.Round
	// Mistakes are in the rules, Missing is what is not there, Silent are the
	// steps without which only the fallback hears, or nobody.
	Mistakes, Missing, Silent []escalation.Problem
	// Warnings are problems beside which every event is heard.
	Warnings []escalation.Problem
}

// Sources answer who is there, as long as ctx lasts. failure gives what could
// not be read meanwhile: who cannot be looked up counts as reachable, since to
// try it tells.
func (b *Book) Sources(ctx context.Context, page *Page) (sources *escalation.Sources, failure func() error) {
	var failed error
	known := map[escalation.Person]bool{}
	sources = &escalation.Sources{
		Team: func(name string) *v1alpha1.Team { return page.teams[name] },
		Rota: func(name string) *escalation.Rota {
			found := page.rotas[name]
			if found == nil {
				return nil
			}
			return &escalation.Rota{Schedule: found.Schedule, Deleting: found.Deleting}
		},
		Reachable: func(team *v1alpha1.Team, member string) bool {
			person := escalation.Person{Team: team.Name, Name: member}
			reachable, asked := known[person]
			if asked || failed != nil {
				return reachable || failed != nil
			}
			if reachable, failed = duty.Reachable(ctx, b.secrets, team, member); failed != nil {
				return true
			}
			known[person] = reachable
			return reachable
		},
	}
	return sources, func() error { return failed }
}

// Look finds out what a route comes to now.
func (b *Book) Look(ctx context.Context, page *Page, now time.Time) (*Look, error) {
	sources, failure := b.Sources(ctx, page)
	look := &Look{Round: page.Route.Now(page.Route.Rest(), sources, now), Mistakes: page.Route.Mistakes(), Missing: escalation.Leaving(page.Object)}
	look.sort(&look.Missing, page.Route.Missing(sources, now))
	look.sort(&look.Silent, page.Route.Silent(sources, now))
	return look, failure()
}

// sort puts problems where they belong, and warnings to the warnings.
func (l *Look) sort(into *[]escalation.Problem, problems []escalation.Problem) {
	for _, problem := range problems {
		if problem.Warning {
			l.Warnings = append(l.Warnings, problem)
		} else {
			*into = append(*into, problem)
		}
	}
}

// Problems are all that were found, those that matter most first.
func (l *Look) Problems() []escalation.Problem {
	return slices.Concat(l.Mistakes, l.Missing, l.Silent, l.Warnings)
}

// Brief is the first of some problems, and how many there are besides.
func Brief(problems []escalation.Problem) string {
	message := problems[0].Message
	if more := len(problems) - 1; more > 0 {
		message += fmt.Sprintf(" (and %d more: see the route's status.problems)", more)
	}
	return message
}

// maxSteps is how many steps a status names beside the fallback; see the schema.
const maxSteps = 16

// Steps are a round as a status says it. Of a rule that takes everything, with
// the route's own steps after its own, there may be more than a status holds:
// the first are named.
func Steps(round escalation.Round) []v1alpha1.ResolvedStep {
	first := round.Steps[:min(len(round.Steps), maxSteps)]
	steps := make([]v1alpha1.ResolvedStep, 0, len(first)+1)
	for _, step := range first {
		steps = append(steps, resolved(step))
	}
	last := resolved(round.Fallback)
	for i := range last.Targets {
		last.Targets[i] = "fallback: " + last.Targets[i]
	}
	return append(steps, last)
}

func resolved(step escalation.Step) v1alpha1.ResolvedStep {
	said := v1alpha1.ResolvedStep{Targets: slices.Clone(step.Targets)}
	if !step.Skipped {
		said.After = &metav1.Duration{Duration: step.After}
	}
	for _, hearer := range step.People {
		said.People = append(said.People, hearer.String())
	}
	for _, person := range step.Unreachable {
		said.Unreachable = append(said.Unreachable, person.String())
	}
	return said
}

// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rota_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // zones of tests do not depend on the machine

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/rota"
)

func TestRota(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "rota")
}

// instant reads a time in RFC 3339.
func instant(text string) time.Time {
	GinkgoHelper()
	at, err := time.Parse(time.RFC3339, text)
	Expect(err).NotTo(HaveOccurred())
	return at
}

// world is what a rota is read from.
type world struct {
	rota      *v1alpha1.ResponderRota
	overrides []v1alpha1.RotaOverride
	teams     map[string]*v1alpha1.Team
}

// newWorld has a rota named care in namespace social.
func newWorld(zone string, layers ...v1alpha1.RotaLayer) *world {
	w := &world{rota: &v1alpha1.ResponderRota{}, teams: map[string]*v1alpha1.Team{}}
	w.rota.Namespace, w.rota.Name = "social", "care"
	w.rota.Spec.TimeZone, w.rota.Spec.Layers = zone, layers
	return w
}

// staff adds a team; a name may be followed by when its membership begins and
// when it ends, as "dana from 2026-01-01T00:00:00Z until 2026-02-01T00:00:00Z".
func (w *world) staff(team string, lines ...string) *world {
	made := &v1alpha1.Team{}
	made.Name = team
	for _, line := range lines {
		made.Spec.Members = append(made.Spec.Members, memberOf(line))
	}
	w.teams[team] = made
	return w
}

// away makes somebody unavailable.
func (w *world) away(member, from, until string) *world {
	w.rota.Spec.Unavailability = append(w.rota.Spec.Unavailability, v1alpha1.Unavailability{
		Member: member, From: metav1.NewTime(instant(from)), Until: metav1.NewTime(instant(until)),
	})
	return w
}

// override puts somebody on duty.
func (w *world) override(name, team, member, from, until string) *world {
	made := v1alpha1.RotaOverride{Spec: v1alpha1.RotaOverrideSpec{
		ResponderRotaRef: v1alpha1.LocalReference{Name: w.rota.Name},
		TeamRef:          v1alpha1.ClusterReference{Name: team},
		Member:           member,
		From:             metav1.NewTime(instant(from)),
		Until:            metav1.NewTime(instant(until)),
	}}
	made.Namespace, made.Name = w.rota.Namespace, name
	w.overrides = append(w.overrides, made)
	return w
}

func (w *world) prepare() (*rota.Schedule, []rota.Problem) {
	return rota.Prepare(w.rota, w.overrides, func(name string) *v1alpha1.Team { return w.teams[name] })
}

// schedule prepares a rota that has no problems.
func (w *world) schedule() *rota.Schedule {
	GinkgoHelper()
	schedule, problems := w.prepare()
	Expect(problems).To(BeEmpty())
	return schedule
}

// layerOf answers at all hours without turns, unless changed.
func layerOf(name, team string, changes ...func(*v1alpha1.RotaLayer)) v1alpha1.RotaLayer {
	made := v1alpha1.RotaLayer{Name: name, TeamRef: v1alpha1.ClusterReference{Name: team}}
	for _, change := range changes {
		change(&made)
	}
	return made
}

func listing(members ...string) func(*v1alpha1.RotaLayer) {
	return func(l *v1alpha1.RotaLayer) { l.Members = members }
}

func handingOver(start string, every int32, unit v1alpha1.HandoffUnit) func(*v1alpha1.RotaLayer) {
	return func(l *v1alpha1.RotaLayer) { l.Handoff = &v1alpha1.Handoff{Start: start, Every: every, Unit: unit} }
}

func during(windows ...v1alpha1.WeeklyWindow) func(*v1alpha1.RotaLayer) {
	return func(l *v1alpha1.RotaLayer) { l.Windows = windows }
}

func hours(from, to string, days ...v1alpha1.Weekday) v1alpha1.WeeklyWindow {
	return v1alpha1.WeeklyWindow{From: from, To: to, Days: slices.Clone(days)}
}

var workdays = []v1alpha1.Weekday{v1alpha1.Monday, v1alpha1.Tuesday, v1alpha1.Wednesday, v1alpha1.Thursday, v1alpha1.Friday}

// told are segments as lines: "2026-11-02T09:00:00Z maria weekdays".
func told(segments []rota.Segment) []string {
	var lines []string
	for _, segment := range segments {
		line := segment.From.Format(time.RFC3339) + " "
		if segment.Nobody() {
			line += "nobody"
		} else {
			line += segment.Member + " " + segment.Layer
		}
		lines = append(lines, line)
	}
	return lines
}

func memberOf(line string) v1alpha1.TeamMember {
	words := strings.Fields(line)
	made := v1alpha1.TeamMember{Name: words[0], Email: words[0] + "@acme.example"}
	for i := 1; i+1 < len(words); i += 2 {
		at := metav1.NewTime(instant(words[i+1]))
		switch words[i] {
		case "from":
			made.From = &at
		case "until":
			made.Until = &at
		}
	}
	return made
}

// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package escalation_test

import (
	"slices"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/rota"
)

func TestEscalation(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "escalation")
}

// noon is a Saturday.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// world is what a route is asked about.
type world struct {
	route *v1alpha1.EscalationRoute
	rotas map[string]*escalation.Rota
	teams map[string]*v1alpha1.Team
	// silent are those who cannot be told, as team/member.
	silent []string
}

// newWorld has the route of the design, without its rule: care, its manager, and
// at last the chief executive. The first of each team is its manager.
func newWorld() *world {
	w := &world{route: &v1alpha1.EscalationRoute{}, rotas: map[string]*escalation.Rota{}, teams: map[string]*v1alpha1.Team{}}
	w.route.Namespace, w.route.Name = "social", "care"
	w.staff("customer-care", "maria", "dana", "sam").staff("chief-executive", "ines").staff("billing", "bea")
	w.rota("care", layer("customer-care", "dana"))
	w.steps(step("15m", onDuty("care")), step("30m", manager("customer-care")))
	w.route.Spec.Fallback = manager("chief-executive")
	return w
}

func (w *world) staff(team string, members ...string) *world {
	made := &v1alpha1.Team{ObjectMeta: metav1.ObjectMeta{Name: team}, Spec: v1alpha1.TeamSpec{Manager: members[0]}}
	for _, name := range members {
		made.Spec.Members = append(made.Spec.Members, v1alpha1.TeamMember{Name: name})
	}
	w.teams[team] = made
	return w
}

// rota makes a rota of layers; the teams must be there.
func (w *world) rota(name string, layers ...v1alpha1.RotaLayer) *world {
	declared := &v1alpha1.ResponderRota{Spec: v1alpha1.ResponderRotaSpec{TimeZone: "UTC", Layers: layers}}
	schedule, _ := rota.Prepare(declared, nil, func(team string) *v1alpha1.Team { return w.teams[team] })
	w.rotas[name] = &escalation.Rota{Schedule: schedule}
	return w
}

func layer(team, member string, windows ...v1alpha1.WeeklyWindow) v1alpha1.RotaLayer {
	return v1alpha1.RotaLayer{
		Name: "of-" + member, TeamRef: v1alpha1.ClusterReference{Name: team}, Members: []string{member}, Windows: windows,
	}
}

func (w *world) steps(steps ...v1alpha1.EscalationStep) *world {
	w.route.Spec.Steps = steps
	return w
}

func (w *world) rule(name, when string, steps ...v1alpha1.EscalationStep) *world {
	w.route.Spec.Rules = append(w.route.Spec.Rules, v1alpha1.EscalationRule{Name: name, When: when, Steps: steps})
	return w
}

func (w *world) repeat(times int32) *world {
	w.route.Spec.Repeat = &times
	return w
}

func (w *world) sources() *escalation.Sources {
	return &escalation.Sources{
		Rota:      func(name string) *escalation.Rota { return w.rotas[name] },
		Team:      func(name string) *v1alpha1.Team { return w.teams[name] },
		Reachable: func(team *v1alpha1.Team, member string) bool { return !slices.Contains(w.silent, team.Name+"/"+member) },
	}
}

func (w *world) now() escalation.Round {
	return escalation.Compile(w.route).Now(escalation.DefaultSteps, w.sources(), noon)
}

// told writes a plan as one line a telling: "0s maria".
func told(plan []escalation.Telling) []string {
	var lines []string
	for _, telling := range plan {
		lines = append(lines, escalation.LengthWords(telling.After)+" "+escalation.HearersWords(telling.People))
	}
	return lines
}

func (w *world) plan() []string {
	return told(escalation.Compile(w.route).Plan(escalation.DefaultSteps, w.sources(), noon))
}

// problems gives reason and message of each, warnings after a "?".
func problems(all []escalation.Problem) []string {
	var said []string
	for _, problem := range all {
		mark := ""
		if problem.Warning {
			mark = "?"
		}
		said = append(said, mark+problem.Reason+": "+problem.Message)
	}
	return said
}

func step(wait string, targets ...v1alpha1.EscalationTarget) v1alpha1.EscalationStep {
	length, err := time.ParseDuration(wait)
	if err != nil {
		panic(err)
	}
	return v1alpha1.EscalationStep{Targets: targets, Wait: &metav1.Duration{Duration: length}}
}

func onDuty(rota string) v1alpha1.EscalationTarget {
	return v1alpha1.EscalationTarget{ResponderRotaRef: &v1alpha1.LocalReference{Name: rota}}
}

func manager(team string) v1alpha1.EscalationTarget {
	return v1alpha1.EscalationTarget{TeamRef: &v1alpha1.ClusterReference{Name: team}, Role: v1alpha1.RoleManager}
}

func member(team, name string) v1alpha1.EscalationTarget {
	return v1alpha1.EscalationTarget{TeamRef: &v1alpha1.ClusterReference{Name: team}, Member: name}
}

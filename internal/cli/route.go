// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/event"
)

// route is one question of who would be told.
type route struct {
	source        sourceFlags
	now           time.Time
	at, text      string
	kind          *choice
	format        *choice
	failOnProblem bool
}

func newRouteCommand(clk clock.PassiveClock) *cobra.Command {
	r := &route{}
	cmd := &cobra.Command{
		Use:   "route [NAMESPACE/]ROUTE|CHANNEL",
		Short: "Say who would be told of an event, and when",
		Long: "Say who would be told of an event, in which order, if nobody ever answered: by an EscalationRoute, or by the one\n" +
			"that a SocialChannel takes. What happens is a mention without text, or another kind of event (--kind) with a text\n" +
			"(--text), now or at a time (--at). It reads the cluster, or with -f manifests, without a cluster.\n\n" +
			"What is not in order with the route is told as problems, also what the API server would refuse; with\n" +
			"--fail-on-problem they are a failure. Warnings, such as a rota that has nobody on duty at that time where the next\n" +
			"step is heard, are none. Nobody is told anything, and no Secret is read: whoever has a spec.members[].notify counts\n" +
			"as somebody who can be told.\n\n" +
			"Times are RFC 3339 such as 2026-11-27T18:00:00Z, or 2026-11-27T18:00 or 2026-11-27 by the clock on the wall in\n" +
			"the zone of the route's first rota, or now.",
		Example: "  rostra route -f manifests/ social/care --text 'where is my refund?'\n" +
			"  rostra route social/acme-help --kind DirectMessage --at 2026-12-24T20:00 -o json\n" +
			"  rostra route -f manifests/ care --fail-on-problem",
		Args: exactlyOne("route or channel"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r.now = clk.Now()
			return r.run(cmd, args[0])
		},
	}
	r.source.add(cmd.Flags())
	cmd.Flags().StringVar(&r.at, "at", "now", "the event happens at this time")
	cmd.Flags().StringVar(&r.text, "text", "", "text of the event")
	cmd.Flags().BoolVar(&r.failOnProblem, "fail-on-problem", false, "exit with 1 if something is not in order with the route, beyond warnings")
	kinds := make([]string, 0, len(event.Kinds()))
	for _, kind := range event.Kinds() {
		kinds = append(kinds, string(kind))
	}
	r.kind = addChoice(cmd, "kind", "", "kind of the event", kinds...)
	r.format = addChoice(cmd, "output", "o", "format of the output", formatTable, formatJSON)
	return cmd
}

func (r *route) run(cmd *cobra.Command, asked string) error {
	name, err := parseName(asked, "route or channel", r.source.namespace)
	if err != nil {
		return err
	}
	objects, err := r.source.open(cmd)
	if err != nil {
		return err
	}
	declared, channel, found, err := objects.route(cmd.Context(), name)
	if err != nil {
		return err
	}
	answer, err := r.answer(declared, channel, found, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	if r.format.value == formatJSON {
		err = printJSON(cmd.OutOrStdout(), answer.json())
	} else {
		err = answer.print(cmd.OutOrStdout())
	}
	if err != nil {
		return err
	}
	if r.failOnProblem && slices.ContainsFunc(answer.problems, func(p escalation.Problem) bool { return !p.Warning }) {
		return fmt.Errorf("EscalationRoute %s is not in order: see the problems above", printable(answer.name.String()))
	}
	return nil
}

// routeAnswer is who would be told.
type routeAnswer struct {
	name, channel objectName
	kind          string
	at            time.Time
	rule          string
	// own is how many of the steps are the rule's; the route's follow.
	own      int
	summary  string
	plan     []escalation.Telling
	problems []escalation.Problem
}

// answer finds out who would be told, and warns of what is not in order.
func (r *route) answer(declared *v1alpha1.EscalationRoute, channel *v1alpha1.SocialChannel, found *inventory, warnings io.Writer) (*routeAnswer, error) {
	zone, unread := found.rotasOf(declared)
	at, err := parseTime(r.at, "at", zone, r.now)
	if err != nil {
		return nil, err
	}
	a := &routeAnswer{name: objectName{declared.Namespace, declared.Name}, kind: r.kind.value, at: at}
	happened := (event.Event{Kind: event.Kind(r.kind.value), Text: r.text, OccurredAt: at, ReceivedAt: at}).Bounded()
	subject := &escalation.Subject{Event: &happened}
	if channel != nil {
		a.channel = objectName{channel.Namespace, channel.Name}
		subject.Channel = escalation.Channel{
			Namespace: channel.Namespace, Name: channel.Name, Purpose: channel.Spec.Purpose, Handle: channel.Spec.Handle, Owner: holder(channel),
		}
	}
	compiled, sources := escalation.Compile(declared), found.sources(declared.Namespace)
	rule, failed := compiled.Match(subject)
	a.rule, a.own = compiled.Rule(rule), compiled.Own(rule)
	a.summary = compiled.Now(rule, sources, at).Words()
	a.plan = compiled.Plan(rule, sources, at)
	a.problems = slices.Concat(escalation.Shape(&declared.Spec), escalation.Leaving(declared),
		compiled.Mistakes(), failed, compiled.Missing(sources, at), compiled.Silent(sources, at))
	for _, name := range slices.SortedFunc(maps.Keys(unread), func(x, y objectName) int { return strings.Compare(x.name, y.name) }) {
		for _, problem := range unread[name] {
			a.problems = append(a.problems, escalation.Problem{Reason: problem.Reason, Message: "ResponderRota " + name.String() + ": " + problem.Message})
		}
	}
	for _, problem := range a.problems {
		what := "problem"
		if problem.Warning {
			what = "warning"
		}
		_, _ = fmt.Fprintf(warnings, "%s: %s\n", what, printable("EscalationRoute "+a.name.String()+": "+problem.Message)) // the answer does not depend on it
	}
	return a, nil
}

// print writes the answer for people.
func (a *routeAnswer) print(out io.Writer) error {
	how := "no rule matches: the route's own steps"
	if a.rule != "" {
		how = "rule " + a.rule + " matches: its steps, then the route's own"
	}
	taken := ""
	if a.channel.name != "" {
		taken = ", as SocialChannel " + a.channel.String() + " takes it"
	}
	if _, err := fmt.Fprintf(out, "%s\n%s: %s\n\n", printable("EscalationRoute "+a.name.String()+taken), a.kind, printable(how)); err != nil {
		return err
	}
	rows := [][]string{{"AFTER", "AT", "TOLD", "AS", "STEP"}}
	for _, telling := range a.plan {
		rows = append(rows, []string{
			escalation.LengthWords(telling.After), a.at.Add(telling.After).Format("Mon 2006-01-02 15:04 MST"),
			printable(people(telling)), printable(strings.Join(telling.Targets, ", ")), a.place(telling),
		})
	}
	return printTable(out, rows)
}

// people names those who are told, with their teams.
func people(telling escalation.Telling) string {
	if len(telling.People) == 0 {
		return "nobody"
	}
	names := make([]string, 0, len(telling.People))
	for _, hearer := range telling.People {
		names = append(names, hearer.Name+" ("+hearer.Team+")")
	}
	return strings.Join(names, ", ")
}

// place says which step a telling is. Those of a rule and of the route, which
// problems count apart, are told apart.
func (a *routeAnswer) place(telling escalation.Telling) string {
	if telling.Fallback {
		return "fallback"
	}
	said := fmt.Sprint(telling.Step + 1)
	if a.own > 0 {
		said = "rule's " + said
		if telling.Step >= a.own {
			said = fmt.Sprint("route's ", telling.Step-a.own+1)
		}
	}
	if telling.Round > 0 {
		said += ", again"
	}
	return said
}

// routeJSON is the answer as programs read it; docs/command-line.md names its
// keys. All of the first level are always there.
type routeJSON struct {
	Route    string        `json:"route"`
	Channel  string        `json:"channel"`
	Kind     string        `json:"kind"`
	At       string        `json:"at"`
	Rule     string        `json:"rule"`
	Summary  string        `json:"summary"`
	Plan     []tellingJSON `json:"plan"`
	Problems []problemJSON `json:"problems"`
}

// tellingJSON counts steps and rounds from 1, the route's steps on from those of
// the rule; the fallback is neither.
type tellingJSON struct {
	After    string       `json:"after"`
	At       string       `json:"at"`
	Step     int          `json:"step,omitempty"`
	Round    int          `json:"round,omitempty"`
	Fallback bool         `json:"fallback"`
	Targets  []string     `json:"targets"`
	People   []hearerJSON `json:"people"`
}

type hearerJSON struct {
	Member  string `json:"member"`
	Team    string `json:"team"`
	Manager bool   `json:"manager"`
}

type problemJSON struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
	// Warning: every event is heard all the same, before it comes to the fallback.
	Warning bool `json:"warning"`
}

func (a *routeAnswer) json() routeJSON {
	answer := routeJSON{
		Route: a.name.String(), Channel: a.channel.String(), Kind: a.kind, At: formatRFC3339(a.at, a.at.Location()), Rule: a.rule, Summary: a.summary,
		Plan: []tellingJSON{}, Problems: []problemJSON{},
	}
	for _, telling := range a.plan {
		entry := tellingJSON{
			After: escalation.LengthWords(telling.After), At: formatRFC3339(a.at.Add(telling.After), a.at.Location()),
			Fallback: telling.Fallback, Targets: telling.Targets, People: []hearerJSON{},
		}
		if !telling.Fallback {
			entry.Step, entry.Round = telling.Step+1, telling.Round+1
		}
		for _, hearer := range telling.People {
			entry.People = append(entry.People, hearerJSON{hearer.Name, hearer.Team, hearer.Manager})
		}
		answer.Plan = append(answer.Plan, entry)
	}
	for _, problem := range a.problems {
		answer.Problems = append(answer.Problems, problemJSON{problem.Reason, problem.Message, problem.Warning})
	}
	return answer
}

// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rota_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/rota"
)

// fuzzSeeds are manifests as the design has them, and as nobody should write them.
func fuzzSeeds() []string {
	const teams = `
teams:
- {metadata: {name: customer-care}, spec: {members: [{name: maria}, {name: dana, until: "2026-11-21T12:00:00Z"}, {name: zoe, from: "2026-11-21T12:00:00.5Z"}]}}
- {metadata: {name: public-relations}, spec: {members: [{name: max}]}}
coverage: {mode: Always}
`
	const design = `
rota:
  metadata: {name: care, namespace: social}
  spec:
    timeZone: Europe/London
    layers:
    - name: weekdays
      teamRef: {name: customer-care}
      members: [maria, dana]
      handoff: {start: "2026-11-02T09:00:00", every: 1, unit: Week}
      windows: [{days: [Mon, Tue, Wed, Thu, Fri], from: "09:00", to: "18:00"}]
    - name: out-of-hours
      teamRef: {name: public-relations}
      handoff: {start: "2026-11-02T18:00:00", every: 1, unit: Day}
    unavailability: [{member: maria, from: "2026-11-20T00:00:00Z", until: "2026-11-24T00:00:00Z"}]
overrides:
- metadata: {name: swap, namespace: social}
  spec: {responderRotaRef: {name: care}, teamRef: {name: customer-care}, member: maria, from: "2026-11-21T18:00:00Z", until: "2026-11-21T22:00:00Z"}
- metadata: {name: again, namespace: social}
  spec: {responderRotaRef: {name: care}, teamRef: {name: customer-care}, member: dana, from: "2026-11-21T18:00:00Z", until: "2026-11-21T08:00:00Z"}
`
	seeds := []string{"", "{}", "[]", "null", "rota: {spec: {layers: [{}]}}", "overrides: [{}]\nteams: [{}]\ncoverage: {mode: Windows, windows: [{}]}", design + teams, design}
	layer := func(zone, layers string) string {
		return fmt.Sprintf("rota: {metadata: {name: care, namespace: social}, spec: {timeZone: %q, layers: [%s]}}\n%s", zone, layers, teams)
	}
	for _, zone := range []string{"Europe/Londn", "", "Local", "../../etc/passwd", "UTC", "Pacific/Apia", "Australia/Lord_Howe", "America/Juneau", "Africa/Monrovia"} {
		seeds = append(seeds, layer(zone, `{name: a, teamRef: {name: customer-care}, windows: [{from: "22:00", to: "06:00"}, {from: "00:00", to: "24:00"}]}`))
	}
	for _, start := range []string{"0001-01-01T00:00:00", "0000-01-01T00:00:00", "9999-12-31T23:59:59", "2026-02-31T09:00:00", "2026-11-02", "", "-292277022399-01-01T00:00:00"} {
		for _, every := range []int{0, 1, -1, 1000, 2147483647, -2147483648} {
			for _, unit := range []string{"Hour", "Week", "Fortnight"} {
				seeds = append(seeds, layer("Europe/London", fmt.Sprintf("{name: a, teamRef: {name: customer-care}, members: [maria, maria, nobody, dana], handoff: {start: %q, every: %d, unit: %s}}", start, every, unit)))
			}
		}
	}
	for _, window := range []string{
		`{from: "09:00", to: "09:00"}`, `{from: "24:00", to: "00:00"}`, `{from: "99:99", to: "x"}`, `{days: [], from: "", to: ""}`,
		`{days: [Mon, Tue, Mon, Funday], from: "-1:00", to: "24:01"}`, `{from: "1", to: "123456"}`, `{from: "٠٩:00", to: "18:00"}`,
	} {
		seeds = append(seeds,
			layer("Europe/London", `{name: a, teamRef: {name: customer-care}, windows: [`+window+`]}`),
			layer("UTC", `{name: a, teamRef: {name: gone}}`)+"\ncoverage: {mode: Windows, timeZone: Nowhere, windows: ["+window+"]}")
	}
	var many []string
	for i := range 100 {
		many = append(many, fmt.Sprintf(`{name: layer-%d, teamRef: {name: customer-care}, handoff: {start: "1990-01-01T00:00:00", every: 1, unit: Hour}, windows: [{from: "%02d:00", to: "%02d:30"}]}`, i%7, i%24, i%24))
	}
	return append(seeds, layer("Europe/London", strings.Join(many, ",")), design+strings.ReplaceAll(teams, "public-relations", "customer-care"),
		strings.NewReplacer("2026-11-21", "0001-01-01", "2026-11-24", "9999-12-31").Replace(design+teams))
}

// mostSegments is a bound of what a rota can answer in a number of days: a segment begins at a hand-off, at which there is
// one an hour at most, or at an edge of a window, an absence, a membership or an override.
func mostSegments(m manifests, days int) int {
	edges := 2 + 4*len(m.Overrides)
	for _, layer := range m.Rota.Spec.Layers {
		edges += 2*len(layer.Windows)*(days+4) + 25*(days+2) + 2*len(m.Rota.Spec.Unavailability)
		if team := m.team(layer.TeamRef.Name); team != nil {
			edges += 2 * len(team.Spec.Members)
		}
	}
	return edges
}

func FuzzPrepare(f *testing.F) {
	instants := []int64{
		time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC).Unix(), 0,
		time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).Unix(),
	}
	for i, seed := range fuzzSeeds() {
		f.Add([]byte(seed), instants[i%len(instants)], uint16(i))
		f.Add([]byte(seed), instants[0], uint16(i))
	}
	f.Fuzz(func(t *testing.T, data []byte, seconds int64, hours uint16) {
		var m manifests
		if len(data) > 64<<10 || yaml.Unmarshal(data, &m) != nil {
			return
		}
		// No question is asked of a time that no manifest can name.
		seconds = max(instants[2], min(seconds, instants[3]))
		at, most := time.Unix(seconds, 0), 14*24
		from, until := at, at.Add(time.Duration(int(hours)%most)*time.Hour)
		schedule, problems := m.prepare()
		promise, more := rota.NewPromise(m.Coverage, schedule.Location())
		for _, problem := range append(problems, more...) {
			if !slices.Contains(problemReasons(), problem.Reason) || problem.Message == "" {
				t.Fatalf("the problem %+v says nothing", problem)
			}
		}
		segments := schedule.Segments(from, until)
		if err := tile(segments, from, until); err != nil {
			t.Fatal(err)
		}
		if bound := mostSegments(m, most/24); len(segments) > bound {
			t.Fatalf("%d segments, and there can be %d", len(segments), bound)
		}
		for _, segment := range segments {
			if got := schedule.At(segment.From); got != segment.Duty {
				t.Fatalf("At says %v in %v", got, segment)
			}
		}
		fuzzCurrent(t, schedule, at)
		fuzzPromise(t, schedule, promise, from, until)
	})
}

func problemReasons() []string {
	return []string{
		v1alpha1.ReasonUnknownTimeZone, v1alpha1.ReasonInvalidStart, v1alpha1.ReasonWindowsOverlap,
		v1alpha1.ReasonTeamNotFound, v1alpha1.ReasonMemberNotFound, v1alpha1.ReasonInvalidPromise,
	}
}

func fuzzCurrent(t *testing.T, schedule *rota.Schedule, at time.Time) {
	t.Helper()
	current := schedule.Current(at)
	if current.Duty != schedule.At(at) {
		t.Fatalf("at %s At says %v, Current %v", at, schedule.At(at), current)
	}
	if current.From.After(at) || !current.Until.IsZero() && !current.Until.After(at) {
		t.Fatalf("%v does not hold %s", current, at)
	}
	if next := schedule.NextChange(at); !next.Equal(current.Until) {
		t.Fatalf("%v, and the next change at %s", current, next)
	}
	if duty := schedule.At(at); duty.Layer == v1alpha1.LayerOverride && len(schedule.InForce(at)) == 0 {
		t.Fatalf("%v answers, and none is in force", duty)
	}
	people := map[[2]string]bool{}
	for _, person := range schedule.People(at) {
		key := [2]string{person.Team, person.Name}
		if people[key] {
			t.Fatalf("%v is listed twice", person)
		}
		people[key] = true
	}
}

func fuzzPromise(t *testing.T, schedule *rota.Schedule, promise *rota.Promise, from, until time.Time) {
	t.Helper()
	gaps := rota.Gaps(schedule, promise, from, until)
	if err := ordered(gaps); err != nil {
		t.Fatal(err)
	}
	for _, gap := range gaps {
		if gap.From.Before(from) || gap.Until.After(until) || !schedule.At(gap.From).Nobody() {
			t.Fatalf("the gap %v is none of %s until %s", gap, from, until)
		}
		if words := rota.Words(gap, promise.Location(), from); words == "" || strings.Contains(words, "%!") {
			t.Fatalf("the gap %v is told as %q", gap, words)
		}
	}
	got := rota.Assess(schedule, promise, from)
	if got.Percent < 0 || got.Percent > 100 || (got.Percent == 100) != (len(got.Gaps) == 0) || got.UncoveredPerWeek < 0 || !got.Until.After(from) {
		t.Fatalf("at %s %+v", from, got)
	}
}

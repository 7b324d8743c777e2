// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rota_test

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/rota"
)

// anyMoment is an instant near another: often a whole hour, so that things fall together, sometimes with a fraction.
func anyMoment(centre time.Time) *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		step := rapid.SampledFrom([]time.Duration{time.Hour, 30 * time.Minute, time.Second}).Draw(t, "step")
		steps := rapid.IntRange(-int(60*time.Hour/step), int(60*time.Hour/step)).Draw(t, "steps")
		moment := centre.Truncate(step).Add(time.Duration(steps) * step)
		if rapid.IntRange(0, 4).Draw(t, "fraction") == 4 {
			moment = moment.Add(time.Duration(rapid.IntRange(1, 999_999_999).Draw(t, "nanoseconds")))
		}
		return moment.UTC()
	})
}

func anyTime(centre time.Time) *rapid.Generator[metav1.Time] {
	return rapid.Map(anyMoment(centre), metav1.NewTime)
}

func maybeTime(t *rapid.T, given *rapid.Generator[bool], centre time.Time, label string) *metav1.Time {
	if !given.Draw(t, label+" is given") {
		return nil
	}
	return new(anyTime(centre).Draw(t, label))
}

func anyTeam(name string, centre time.Time) *rapid.Generator[v1alpha1.Team] {
	return rapid.Custom(func(t *rapid.T) v1alpha1.Team {
		team := v1alpha1.Team{ObjectMeta: metav1.ObjectMeta{Name: name}}
		names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"ana", "ben", "cem", "dov", "eva"}), 2, 5, rapid.ID).Draw(t, "members")
		// In some teams everybody comes and goes.
		given := rapid.SampledFrom(rapid.SampledFrom([][]bool{{false, false, true}, {true, true, true, false}}).Draw(t, "fluctuation"))
		for _, member := range names {
			team.Spec.Members = append(team.Spec.Members, v1alpha1.TeamMember{
				Name: member, From: maybeTime(t, given, centre, "from"), Until: maybeTime(t, given, centre, "until"),
			})
		}
		return team
	})
}

func anyWindow() *rapid.Generator[v1alpha1.WeeklyWindow] {
	hours := []string{"00:00", "00:01", "00:30", "01:00", "01:30", "02:00", "02:15", "02:30", "03:00", "06:00", "09:00", "18:00", "22:00", "23:59"}
	days := []v1alpha1.Weekday{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}
	return rapid.Custom(func(t *rapid.T) v1alpha1.WeeklyWindow {
		window := v1alpha1.WeeklyWindow{
			From: rapid.SampledFrom(hours).Draw(t, "from"),
			To:   rapid.SampledFrom(append([]string{"24:00"}, hours...)).Draw(t, "to"),
		}
		if window.From == window.To {
			window.To = "24:00"
		}
		if rapid.Bool().Draw(t, "some days") {
			window.Days = rapid.SliceOfNDistinct(rapid.SampledFrom(days), 1, 6, rapid.ID).Draw(t, "days")
		}
		return window
	})
}

func anyHandoff(local time.Time) *rapid.Generator[*v1alpha1.Handoff] {
	hours := []int{0, 0, 1, 1, 2, 2, 3, 9, 22, 23}
	return rapid.Custom(func(t *rapid.T) *v1alpha1.Handoff {
		day := local.AddDate(0, 0, rapid.IntRange(-30, 2).Draw(t, "days"))
		if rapid.IntRange(0, 5).Draw(t, "long ago") == 5 {
			day = day.AddDate(-3, 0, 0)
		}
		start := time.Date(day.Year(), day.Month(), day.Day(), rapid.SampledFrom(hours).Draw(t, "hour"),
			rapid.SampledFrom([]int{0, 0, 30, 15, 1}).Draw(t, "minute"), rapid.SampledFrom([]int{0, 0, 0, 59}).Draw(t, "second"), 0, time.UTC)
		unit := rapid.SampledFrom([]v1alpha1.HandoffUnit{v1alpha1.HandoffHour, v1alpha1.HandoffHour, v1alpha1.HandoffDay, v1alpha1.HandoffDay, v1alpha1.HandoffWeek}).Draw(t, "unit")
		every := map[v1alpha1.HandoffUnit][]int32{
			v1alpha1.HandoffHour: {1, 2, 3, 8, 12, 24, 30}, v1alpha1.HandoffDay: {1, 1, 2, 3}, v1alpha1.HandoffWeek: {1, 2},
		}[unit]
		return &v1alpha1.Handoff{Start: start.Format("2006-01-02T15:04:05"), Every: rapid.SampledFrom(every).Draw(t, "every"), Unit: unit}
	})
}

func anyLayer(name string, local time.Time) *rapid.Generator[v1alpha1.RotaLayer] {
	return rapid.Custom(func(t *rapid.T) v1alpha1.RotaLayer {
		layer := v1alpha1.RotaLayer{Name: name}
		layer.TeamRef.Name = rapid.SampledFrom([]string{"care", "care", "care", "pr", "pr", "pr", "gone"}).Draw(t, "team")
		if rapid.Bool().Draw(t, "lists members") {
			layer.Members = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"ana", "ben", "cem", "dov", "eva", "ghost"}), 2, 6, rapid.ID).Draw(t, "members")
		}
		if rapid.IntRange(0, 4).Draw(t, "takes turns") < 4 {
			layer.Handoff = anyHandoff(local).Draw(t, "handoff")
		}
		if rapid.Bool().Draw(t, "has windows") {
			layer.Windows = rapid.SliceOfN(anyWindow(), 1, 3).Draw(t, "windows")
		}
		return layer
	})
}

func anyUnavailability(centre time.Time) *rapid.Generator[v1alpha1.Unavailability] {
	return rapid.Custom(func(t *rapid.T) v1alpha1.Unavailability {
		away := v1alpha1.Unavailability{
			Member: rapid.SampledFrom([]string{"ana", "ben", "cem", "dov", "ghost"}).Draw(t, "member"),
			From:   anyTime(centre).Draw(t, "from"), Until: anyTime(centre).Draw(t, "until"),
		}
		if team := rapid.SampledFrom([]string{"", "", "care", "pr", "gone"}).Draw(t, "team"); team != "" {
			away.TeamRef = &v1alpha1.ClusterReference{Name: team}
		}
		return away
	})
}

// anyOverride may be of another rota, of nobody, or of no time.
func anyOverride(name string, centre time.Time) *rapid.Generator[v1alpha1.RotaOverride] {
	return rapid.Custom(func(t *rapid.T) v1alpha1.RotaOverride {
		override := v1alpha1.RotaOverride{ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: rapid.SampledFrom([]string{"social", "social", "social", "social", "other"}).Draw(t, "namespace"),
		}}
		override.Spec.ResponderRotaRef.Name = rapid.SampledFrom([]string{"care", "care", "care", "care", "other"}).Draw(t, "rota")
		override.Spec.TeamRef.Name = rapid.SampledFrom([]string{"care", "pr", "press", "gone"}).Draw(t, "team")
		override.Spec.Member = rapid.SampledFrom([]string{"ana", "ben", "cem", "dov", "eva", "ghost"}).Draw(t, "member")
		override.Spec.From, override.Spec.Until = anyTime(centre).Draw(t, "from"), anyTime(centre).Draw(t, "until")
		if override.Spec.Until.Before(&override.Spec.From) && rapid.IntRange(0, 7).Draw(t, "the wrong way round") < 7 {
			override.Spec.From, override.Spec.Until = override.Spec.Until, override.Spec.From
		}
		return override
	})
}

func anyOverrides(t *rapid.T, centre time.Time) []v1alpha1.RotaOverride {
	var overrides []v1alpha1.RotaOverride
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}), 0, 5, rapid.ID).Draw(t, "override names") {
		override := anyOverride(name, centre).Draw(t, "override "+name)
		if len(overrides) > 0 {
			before := overrides[len(overrides)-1]
			switch rapid.SampledFrom([]string{"begins", "begins and ends", "", ""}).Draw(t, "with the one before") {
			case "begins":
				override.Spec.From = before.Spec.From
			case "begins and ends":
				override.Spec.From, override.Spec.Until = before.Spec.From, before.Spec.Until
			}
		}
		overrides = append(overrides, override)
	}
	return overrides
}

func anyCoverage() *rapid.Generator[v1alpha1.ChannelCoverage] {
	return rapid.Custom(func(t *rapid.T) v1alpha1.ChannelCoverage {
		coverage := v1alpha1.ChannelCoverage{
			Mode:     rapid.SampledFrom([]v1alpha1.CoverageMode{v1alpha1.CoverageWindows, v1alpha1.CoverageAlways, v1alpha1.CoverageNone}).Draw(t, "mode"),
			TimeZone: rapid.SampledFrom([]string{"", "", "Europe/London", "Pacific/Chatham", "America/St_Johns"}).Draw(t, "zone"),
		}
		if coverage.Mode == v1alpha1.CoverageWindows {
			coverage.Windows = rapid.SliceOfN(anyWindow(), 1, 3).Draw(t, "promised")
		}
		return coverage
	})
}

// anyManifests are a rota in a zone, and what belongs to it, with most things happening near an instant.
func anyManifests(zoneName string, centre time.Time) *rapid.Generator[manifests] {
	zone, err := time.LoadLocation(zoneName)
	if err != nil {
		panic(err)
	}
	local := centre.In(zone)
	return rapid.Custom(func(t *rapid.T) manifests {
		made := manifests{Coverage: anyCoverage().Draw(t, "coverage")}
		made.Rota.Name, made.Rota.Namespace = "care", "social"
		made.Rota.Spec.TimeZone = zoneName
		for _, name := range []string{"care", "pr", "press"} {
			made.Teams = append(made.Teams, anyTeam(name, centre).Draw(t, "team "+name))
		}
		for i := range rapid.SampledFrom([]int{1, 2, 3, 3, 4}).Draw(t, "layers") {
			made.Rota.Spec.Layers = append(made.Rota.Spec.Layers, anyLayer(fmt.Sprint("layer-", i), local).Draw(t, "layer"))
		}
		made.Rota.Spec.Unavailability = rapid.SliceOfN(anyUnavailability(centre), 0, 4).Draw(t, "unavailability")
		made.Overrides = anyOverrides(t, centre)
		return made
	})
}

// scene is a rota somewhere, at a time when something happens.
type scene struct {
	manifests
	centre, from, until time.Time
}

func (s scene) segments() []rota.Segment { return s.schedule().Segments(s.from, s.until) }

func drawScene(t *rapid.T) scene {
	where := rapid.SampledFrom([]struct{ zone, centre string }{
		{"Europe/London", "2026-10-25T01:00:00Z"},
		{"Europe/London", "2026-03-29T01:00:00Z"},
		{"Australia/Lord_Howe", "2026-04-04T15:00:00Z"},
		{"Australia/Lord_Howe", "2026-10-03T15:30:00Z"},
		{"America/New_York", "2026-11-01T06:00:00Z"},
		{"America/St_Johns", "2010-11-07T02:31:00Z"},
		{"America/Sao_Paulo", "2018-11-04T03:00:00Z"},
		{"America/Sao_Paulo", "2018-02-18T02:00:00Z"},
		{"Pacific/Apia", "2011-12-30T10:00:00Z"},
		{"Asia/Tokyo", "2026-11-21T12:00:00Z"},
	}).Draw(t, "where")
	centre, err := time.Parse(time.RFC3339, where.centre)
	if err != nil {
		t.Fatal(err)
	}
	drawn := scene{manifests: anyManifests(where.zone, centre).Draw(t, "manifests"), centre: centre}
	drawn.from = centre.Add(-time.Duration(rapid.IntRange(0, 600_000).Draw(t, "seconds before")) * time.Second)
	drawn.until = centre.Add(time.Duration(rapid.IntRange(1, 600_000).Draw(t, "seconds after")) * time.Second)
	return drawn
}

// cut is what of segments lies in [from, until).
func cut(segments []rota.Segment, from, until time.Time) []rota.Segment {
	var found []rota.Segment
	for _, segment := range segments {
		segment.From, segment.Until = later(segment.From, from), earlier(segment.Until, until)
		if segment.From.Before(segment.Until) {
			found = append(found, segment)
		}
	}
	return found
}

func later(one, other time.Time) time.Time {
	if one.After(other) {
		return one
	}
	return other
}

func earlier(one, other time.Time) time.Time {
	if one.Before(other) {
		return one
	}
	return other
}

// differ tells where segments are not the same; zones do not matter.
func differ(got, want []rota.Segment) string {
	same := func(one, other rota.Segment) bool {
		return one.From.Equal(other.From) && one.Until.Equal(other.Until) && one.Duty == other.Duty
	}
	if slices.EqualFunc(got, want, same) {
		return ""
	}
	return fmt.Sprintf("the segments are\n%v\nand should be\n%v", shown(got), shown(want))
}

func shown(segments []rota.Segment) []string {
	var lines []string
	for _, s := range segments {
		lines = append(lines, fmt.Sprintf("%s %s %s/%s %s\n", s.From.UTC().Format(time.RFC3339), s.Until.UTC().Format(time.RFC3339), s.Team, s.Member, s.Layer))
	}
	return lines
}

// whole is a moment without its fraction, as rotas are read.
func whole(at time.Time) time.Time { return time.Unix(at.Unix(), 0).UTC() }

// sameOutside checks that two rotas differ in [from, until) alone.
func sameOutside(t *rapid.T, s scene, before, after []rota.Segment, from, until time.Time) {
	t.Helper()
	if diff := differ(cut(after, s.from, from), cut(before, s.from, from)); diff != "" {
		t.Fatalf("before %s %s\n%s", from, diff, s)
	}
	if diff := differ(cut(after, until, s.until), cut(before, until, s.until)); diff != "" {
		t.Fatalf("from %s %s\n%s", until, diff, s)
	}
}

// checkScenes runs a property on many scenes.
func checkScenes(property func(t *rapid.T, s scene)) {
	GinkgoHelper()
	rapid.Check(GinkgoT(), func(t *rapid.T) { property(t, drawScene(t)) })
}

var _ = Describe("Segments", func() {
	It("tile what is asked, and agree with At", func() {
		checkScenes(func(t *rapid.T, s scene) {
			fraction := rapid.SampledFrom([]time.Duration{0, 1, 999_999_999})
			s.from, s.until = s.from.Add(fraction.Draw(t, "from with")), s.until.Add(fraction.Draw(t, "until with"))
			schedule := s.schedule()
			segments := schedule.Segments(s.from, s.until)
			if err := tile(segments, s.from, s.until); err != nil {
				t.Fatalf("%v\n%s", err, s)
			}
			for _, segment := range segments {
				last := segment.Until.Add(-1)
				if schedule.At(segment.From) != segment.Duty || schedule.At(last) != segment.Duty {
					t.Fatalf("At does not say %v\n%s", segment, s)
				}
				if segment.Until.Before(s.until) && schedule.At(segment.Until) == segment.Duty {
					t.Fatalf("At still says %v when it is over\n%s", segment, s)
				}
				if segment.From.Location() != schedule.Location() || segment.Until.Location() != schedule.Location() {
					t.Fatalf("%v is not in the zone of the rota\n%s", segment, s)
				}
			}
		})
	})

	It("of a part are a part of those of the whole", func() {
		checkScenes(func(t *rapid.T, s scene) {
			schedule := s.schedule()
			segments := schedule.Segments(s.from, s.until)
			length := int(s.until.Sub(s.from) / time.Second)
			from := s.from.Add(time.Duration(rapid.IntRange(0, length).Draw(t, "part from")) * time.Second)
			until := s.from.Add(time.Duration(rapid.IntRange(0, length).Draw(t, "part until")) * time.Second)
			part := schedule.Segments(from, until)
			if err := tile(part, from, until); err != nil {
				t.Fatalf("%v\n%s", err, s)
			}
			if diff := differ(part, cut(segments, from, until)); diff != "" {
				t.Fatalf("%s\n%s", diff, s)
			}
		})
	})

	It("do not depend on the order in which overrides are given", func() {
		checkScenes(func(t *rapid.T, s scene) {
			want := s.segments()
			inForce := s.schedule().InForce(s.centre)
			s.Overrides = rapid.Permutation(s.Overrides).Draw(t, "order")
			if diff := differ(s.segments(), want); diff != "" {
				t.Fatalf("%s\n%s", diff, s)
			}
			if got := s.schedule().InForce(s.centre); !slices.Equal(got, inForce) {
				t.Fatalf("%v are in force, or %v\n%s", inForce, got, s)
			}
		})
	})

	It("are the same when they are asked for again", func() {
		checkScenes(func(t *rapid.T, s scene) {
			schedule := s.schedule()
			want := schedule.Segments(s.from, s.until)
			schedule.Current(s.centre)
			schedule.Segments(s.centre, s.until.AddDate(1, 0, 0))
			if diff := differ(schedule.Segments(s.from, s.until), want); diff != "" {
				t.Fatalf("%s\n%s", diff, s)
			}
		})
	})
})

var _ = Describe("Prepare", func() {
	It("leaves what it is given as it is", func() {
		checkScenes(func(t *rapid.T, s scene) {
			readRota, coverage := s.Rota.DeepCopy(), s.Coverage.DeepCopy()
			var overrides []v1alpha1.RotaOverride
			for _, override := range s.Overrides {
				overrides = append(overrides, *override.DeepCopy())
			}
			var teams []v1alpha1.Team
			for _, team := range s.Teams {
				teams = append(teams, *team.DeepCopy())
			}
			schedule := s.schedule()
			promise, _ := rota.NewPromise(s.Coverage, schedule.Location())
			rota.Gaps(schedule, promise, s.from, s.until)
			rota.Assess(schedule, promise, s.centre)
			schedule.People(s.centre)
			schedule.InForce(s.centre)
			if !reflect.DeepEqual(*readRota, s.Rota) || !reflect.DeepEqual(overrides, s.Overrides) ||
				!reflect.DeepEqual(teams, s.Teams) || !reflect.DeepEqual(*coverage, s.Coverage) {
				t.Fatalf("it was changed\n%s", s)
			}
		})
	})

	It("names whom nobody knows, and only them", func() {
		checkScenes(func(t *rapid.T, s scene) {
			_, problems := s.prepare()
			wanted := map[string]bool{}
			for _, layer := range s.Rota.Spec.Layers {
				for _, place := range naiveRow(s.manifests, layer) {
					wanted[v1alpha1.ReasonMemberNotFound] = wanted[v1alpha1.ReasonMemberNotFound] || layer.TeamRef.Name != "gone" && !place.known
				}
				wanted[v1alpha1.ReasonTeamNotFound] = wanted[v1alpha1.ReasonTeamNotFound] || layer.TeamRef.Name == "gone"
			}
			for reason, want := range wanted {
				found := slices.ContainsFunc(problems, func(p rota.Problem) bool { return p.Reason == reason })
				if want && !found {
					t.Fatalf("%s is missing in %v\n%s", reason, problems, s)
				}
			}
			for _, problem := range problems {
				if problem.Message == "" || problem.Reason == v1alpha1.ReasonInvalidStart || problem.Reason == v1alpha1.ReasonUnknownTimeZone {
					t.Fatalf("%v is none\n%s", problem, s)
				}
			}
		})
	})
})

// sharedMinute tells whether two windows share a minute of the week, as it is when clocks stand.
func sharedMinute(windows []v1alpha1.WeeklyWindow) bool {
	taken := map[int64]bool{}
	for i, day := range []v1alpha1.Weekday{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"} {
		for _, window := range windows {
			if len(window.Days) > 0 && !slices.Contains(window.Days, day) {
				continue
			}
			from, to := naiveOfDay(window.From), naiveOfDay(window.To)
			if to <= from {
				to += naiveDay
			}
			for at := from; at < to; at += 60 {
				minute := (int64(i)*naiveDay + at) % (7 * naiveDay)
				if taken[minute] {
					return true
				}
				taken[minute] = true
			}
		}
	}
	return false
}

var _ = Describe("Windows that overlap", func() {
	named := func(problems []rota.Problem) bool {
		return slices.ContainsFunc(problems, func(p rota.Problem) bool { return p.Reason == v1alpha1.ReasonWindowsOverlap })
	}

	It("are named, and no others", func() {
		checkScenes(func(t *rapid.T, s scene) {
			overlap := slices.ContainsFunc(s.Rota.Spec.Layers, func(l v1alpha1.RotaLayer) bool { return sharedMinute(l.Windows) })
			if _, problems := s.prepare(); named(problems) != overlap {
				t.Fatalf("windows overlap: %t; problems: %v\n%s", overlap, problems, s)
			}
			_, problems := rota.NewPromise(s.Coverage, time.UTC)
			if overlap := sharedMinute(s.Coverage.Windows); named(problems) != overlap {
				t.Fatalf("promised windows overlap: %t; problems: %v\n%s", overlap, problems, s)
			}
		})
	})
})

var _ = Describe("Current", func() {
	It("is the whole segment that holds an instant", func() {
		checkScenes(func(t *rapid.T, s scene) {
			schedule, at := s.schedule(), anyMoment(s.centre).Draw(t, "at")
			current := schedule.Current(at)
			if current.Duty != schedule.At(at) {
				t.Fatalf("At says %v, Current %v\n%s", schedule.At(at), current, s)
			}
			if next := schedule.NextChange(at); !next.Equal(current.Until) {
				t.Fatalf("the next change is at %s, and %v ends\n%s", next, current, s)
			}
			checkBegun(t, s, schedule, current, at)
			checkEnds(t, s, schedule, current, at)
		})
	})
})

func checkBegun(t *rapid.T, s scene, schedule *rota.Schedule, current rota.Segment, at time.Time) {
	t.Helper()
	if current.From.IsZero() {
		before := schedule.Segments(whole(at).Add(-rota.Horizon+time.Second), whole(at).Add(time.Second))
		if len(before) != 1 {
			t.Fatalf("%v began within a year before %s\n%s", current, at, s)
		}
		return
	}
	if current.From.After(at) || schedule.At(current.From) != current.Duty || schedule.At(current.From.Add(-1)) == current.Duty {
		t.Fatalf("%v did not begin so before %s\n%s", current, at, s)
	}
	if inside := schedule.Segments(current.From, whole(at).Add(time.Second)); len(inside) != 1 {
		t.Fatalf("%v is not whole before %s: %v\n%s", current, at, shown(inside), s)
	}
}

func checkEnds(t *rapid.T, s scene, schedule *rota.Schedule, current rota.Segment, at time.Time) {
	t.Helper()
	if current.Until.IsZero() {
		if after := schedule.Segments(whole(at), whole(at).Add(rota.Horizon-time.Second)); len(after) != 1 {
			t.Fatalf("%v ends within a year after %s\n%s", current, at, s)
		}
		return
	}
	if !current.Until.After(at) || schedule.At(current.Until) == current.Duty || schedule.At(current.Until.Add(-1)) != current.Duty {
		t.Fatalf("%v does not end so after %s\n%s", current, at, s)
	}
	if inside := schedule.Segments(whole(at), current.Until); len(inside) != 1 {
		t.Fatalf("%v is not whole after %s: %v\n%s", current, at, shown(inside), s)
	}
}

var _ = Describe("An override", func() {
	It("changes nothing outside its time, and answers inside it unless another stands above", func() {
		checkScenes(func(t *rapid.T, s scene) {
			before := s.segments()
			added := anyOverride("added", s.centre).Draw(t, "added")
			if !added.Spec.From.Before(&added.Spec.Until) {
				added.Spec.From, added.Spec.Until = added.Spec.Until, added.Spec.From
			}
			s.Overrides = slices.Insert(slices.Clone(s.Overrides), rapid.IntRange(0, len(s.Overrides)).Draw(t, "place"), added)
			after := s.segments()
			from, until := whole(added.Spec.From.Time), whole(added.Spec.Until.Time)
			sameOutside(t, s, before, after, from, until)
			schedule := s.schedule()
			for _, segment := range cut(after, from, until) {
				inForce := schedule.InForce(segment.From)
				if slices.Contains(inForce, "added") && segment.Layer != v1alpha1.LayerOverride {
					t.Fatalf("%v are in force, and %v answers\n%s", inForce, segment, s)
				}
			}
		})
	})

	It("of another rota or namespace changes nothing", func() {
		checkScenes(func(t *rapid.T, s scene) {
			before := s.segments()
			added := anyOverride("added", s.centre).Draw(t, "added")
			if rapid.Bool().Draw(t, "another namespace") {
				added.Namespace = "other"
			} else {
				added.Spec.ResponderRotaRef.Name = "other"
			}
			s.Overrides = append(slices.Clone(s.Overrides), added)
			if diff := differ(s.segments(), before); diff != "" {
				t.Fatalf("%s\n%s", diff, s)
			}
		})
	})
})

// changed is the scene with teams of its own, so that they can be changed.
func (s scene) changed() scene {
	s.Rota = *s.Rota.DeepCopy()
	teams := make([]v1alpha1.Team, 0, len(s.Teams))
	for _, team := range s.Teams {
		teams = append(teams, *team.DeepCopy())
	}
	s.Teams = teams
	return s
}

var _ = Describe("A member", Label("S4"), func() {
	It("who leaves changes nothing before", func() {
		checkScenes(func(t *rapid.T, s scene) {
			before, other := s.segments(), s.changed()
			members := rapid.SampledFrom(other.Teams).Draw(t, "team").Spec.Members
			member := &members[rapid.IntRange(0, len(members)-1).Draw(t, "leaver")]
			leaves := anyMoment(s.centre).Draw(t, "leaves")
			if member.Until != nil && member.Until.Time.Before(leaves) {
				leaves = member.Until.Time
			}
			member.Until = new(metav1.NewTime(leaves))
			sameOutside(t, other, before, other.segments(), whole(leaves), s.until)
		})
	})

	It("who joins changes nothing before, wherever in the list", func() {
		checkScenes(func(t *rapid.T, s scene) {
			before, other := s.segments(), s.changed()
			team := &other.Teams[rapid.IntRange(0, len(other.Teams)-1).Draw(t, "team")]
			joins := anyMoment(s.centre).Draw(t, "joins")
			newcomer := v1alpha1.TeamMember{Name: "newcomer", From: new(metav1.NewTime(joins))}
			team.Spec.Members = slices.Insert(team.Spec.Members, rapid.IntRange(0, len(team.Spec.Members)).Draw(t, "place in the team"), newcomer)
			for i := range other.Rota.Spec.Layers {
				layer := &other.Rota.Spec.Layers[i]
				if layer.TeamRef.Name == team.Name && len(layer.Members) > 0 {
					layer.Members = slices.Insert(layer.Members, rapid.IntRange(0, len(layer.Members)).Draw(t, "place in the layer"), "newcomer")
				}
			}
			sameOutside(t, other, before, other.segments(), whole(joins), s.until)
		})
	})

	It("is on duty only as a member, also by override", func() {
		checkScenes(func(t *rapid.T, s scene) {
			for _, segment := range s.segments() {
				if segment.Nobody() {
					continue
				}
				in, known := naiveMembership(s.manifests, segment.Team, segment.Member)
				if !known || segment.From.Unix() < in.from || segment.Until.Unix() > in.until {
					t.Fatalf("%v is not in the team\n%s", segment, s)
				}
			}
		})
	})

	It("who is unavailable changes nothing at other times", func() {
		checkScenes(func(t *rapid.T, s scene) {
			before := s.segments()
			away := anyUnavailability(s.centre).Draw(t, "away")
			if !away.From.Before(&away.Until) {
				away.From, away.Until = away.Until, away.From
			}
			s.Rota.Spec.Unavailability = append(slices.Clone(s.Rota.Spec.Unavailability), away)
			sameOutside(t, s, before, s.segments(), whole(away.From.Time), whole(away.Until.Time))
		})
	})

	It("who is unavailable is on duty by override alone", func() {
		checkScenes(func(t *rapid.T, s scene) {
			for _, away := range s.Rota.Spec.Unavailability {
				for _, segment := range cut(s.segments(), whole(away.From.Time), whole(away.Until.Time)) {
					there := away.TeamRef != nil && away.TeamRef.Name != segment.Team
					if segment.Member == away.Member && segment.Layer != v1alpha1.LayerOverride && !there {
						t.Fatalf("%v is unavailable: %v\n%s", segment, away, s)
					}
				}
			}
		})
	})

	It("who will be on duty is among the people, and those who left are told", func() {
		checkScenes(func(t *rapid.T, s scene) {
			schedule, at := s.schedule(), anyMoment(s.centre).Draw(t, "at")
			left := map[rota.Duty]bool{}
			for _, person := range schedule.People(at) {
				key := rota.Duty{Member: person.Name, Team: person.Team}
				if _, twice := left[key]; twice {
					t.Fatalf("%v is listed twice\n%s", person, s)
				}
				left[key] = person.Left
				in, known := naiveMembership(s.manifests, person.Team, person.Name)
				if !known || person.Left != (in.until <= at.Unix()) {
					t.Fatalf("%v at %s\n%s", person, at, s)
				}
			}
			for _, segment := range schedule.Segments(whole(at), whole(at).AddDate(0, 0, 9)) {
				if gone, listed := left[rota.Duty{Member: segment.Member, Team: segment.Team}]; !segment.Nobody() && (!listed || gone) {
					t.Fatalf("%v is not among the people at %s\n%s", segment, at, s)
				}
			}
		})
	})
})

// ordered tells where ranges are not in order, overlap, touch, or last no time.
func ordered(ranges []rota.Range) error {
	for i, r := range ranges {
		if !r.From.Before(r.Until) || i > 0 && !ranges[i-1].Until.Before(r.From) {
			return fmt.Errorf("%v is out of order in %v", r, ranges)
		}
	}
	return nil
}

// total is how much of ranges lies in [from, until).
func total(ranges []rota.Range, from, until time.Time) time.Duration {
	var sum time.Duration
	for _, r := range ranges {
		sum += max(0, earlier(r.Until, until).Sub(later(r.From, from)))
	}
	return sum
}

func drawPromise(t *rapid.T, s scene) (*rota.Schedule, *rota.Promise) {
	t.Helper()
	schedule := s.schedule()
	promise, problems := rota.NewPromise(s.Coverage, schedule.Location())
	for _, problem := range problems {
		if problem.Reason != v1alpha1.ReasonWindowsOverlap || problem.Message == "" {
			t.Fatalf("%v\n%s", problem, s)
		}
	}
	return schedule, promise
}

var _ = Describe("Gaps", func() {
	It("are in order, promised, and watched by nobody", func() {
		checkScenes(func(t *rapid.T, s scene) {
			schedule, promise := drawPromise(t, s)
			gaps, hours := rota.Gaps(schedule, promise, s.from, s.until), promise.Hours(s.from, s.until)
			if err := ordered(gaps); err != nil {
				t.Fatalf("%v\n%s", err, s)
			}
			if err := ordered(hours); err != nil {
				t.Fatalf("%v\n%s", err, s)
			}
			var watched time.Duration
			for _, segment := range schedule.Segments(s.from, s.until) {
				if segment.Nobody() {
					continue
				}
				watched += total(hours, segment.From, segment.Until)
				if total(gaps, segment.From, segment.Until) != 0 {
					t.Fatalf("in %v there are the gaps %v\n%s", segment, gaps, s)
				}
			}
			if total(gaps, s.from, s.until)+watched != total(hours, s.from, s.until) {
				t.Fatalf("gaps %v and duties are not the promised hours %v\n%s", gaps, hours, s)
			}
			if promise.Empty() != (s.Coverage.Mode == v1alpha1.CoverageNone) || promise.Empty() && len(hours) > 0 {
				t.Fatalf("the promise is empty: %t\n%s", promise.Empty(), s)
			}
		})
	})

	It("are the same on segments that were computed before", func() {
		checkScenes(func(t *rapid.T, s scene) {
			schedule, promise := drawPromise(t, s)
			got, want := rota.GapsIn(schedule.Segments(s.from, s.until), promise), rota.Gaps(schedule, promise, s.from, s.until)
			if !slices.EqualFunc(got, want, func(a, b rota.Range) bool { return a.From.Equal(b.From) && a.Until.Equal(b.Until) }) {
				t.Fatalf("%v is not %v\n%s", got, want, s)
			}
		})
	})
})

// fortnight is from today's midnight for 14 days, by the clock on the wall. A day has begun when its midnight came for the
// first time, also where the clock goes back into the day before.
func fortnight(zone *time.Location, now time.Time) (from, next, until time.Time) {
	clock := newNaiveClock(zone, now.Unix()-40*naiveDay, now.Unix()+40*naiveDay)
	local := now.In(zone)
	midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC).Unix()
	if clock.instant(midnight+naiveDay) <= now.Unix() {
		midnight += naiveDay
	}
	day := func(days int64) time.Time { return time.Unix(clock.instant(midnight+days*naiveDay), 0) }
	return day(0), day(1), day(14)
}

var _ = Describe("Assess", func() {
	It("says how much of the promise is kept, and what is not", func() {
		checkScenes(func(t *rapid.T, s scene) {
			schedule, promise := drawPromise(t, s)
			now := anyMoment(s.centre).Draw(t, "now")
			got := rota.Assess(schedule, promise, now)
			from, next, until := fortnight(promise.Location(), now)
			all := rota.Gaps(schedule, promise, from, until)
			var left []rota.Range
			for _, gap := range all {
				if gap.Until.After(now) {
					left = append(left, gap)
				}
			}
			if len(left) == 0 {
				all = nil
			}
			promised, uncovered := total(promise.Hours(from, until), from, until), total(all, from, until)
			percent := int32(100)
			if promised > 0 {
				percent = int32(100 * int64(promised-uncovered) / int64(promised))
			}
			if got.Percent != percent || got.UncoveredPerWeek != (uncovered/2).Truncate(time.Second) || total(got.Gaps, now, until) != total(left, now, until) {
				t.Fatalf("at %s of %s there are %s uncovered, %d%%, %v; assessed %+v\n%s", now, promised, uncovered, percent, left, got, s)
			}
			if (got.Percent == 100) != (len(got.Gaps) == 0) {
				t.Fatalf("%d%% and %d gaps\n%s", got.Percent, len(got.Gaps), s)
			}
			if !got.Until.After(now) || got.Until.After(next) {
				t.Fatalf("at %s it holds until %s, midnight is at %s\n%s", now, got.Until, next, s)
			}
			checkGaps(t, s, got.Gaps, now, until)
		})
	})

	It("does not move a gap while it lasts", func() {
		checkScenes(func(t *rapid.T, s scene) {
			schedule, promise := drawPromise(t, s)
			now := anyMoment(s.centre).Draw(t, "now")
			gaps := rota.Assess(schedule, promise, now).Gaps
			if len(gaps) == 0 || gaps[0].Until.Sub(gaps[0].From) > 13*24*time.Hour {
				return
			}
			first := gaps[0]
			start := later(first.From, now)
			during := start.Add(time.Duration(rapid.Int64Range(0, int64(first.Until.Sub(start))-1).Draw(t, "during")))
			again := rota.Assess(schedule, promise, during).Gaps
			if len(again) == 0 || !again[0].From.Equal(first.From) || !again[0].Until.Equal(first.Until) {
				t.Fatalf("at %s the first gap is %v, at %s it is %v\n%s", now, first, during, again, s)
			}
		})
	})

	It("holds until it says", func() {
		checkScenes(func(t *rapid.T, s scene) {
			schedule, promise := drawPromise(t, s)
			now := anyMoment(s.centre).Draw(t, "now")
			got := rota.Assess(schedule, promise, now)
			within := now.Add(time.Duration(rapid.Int64Range(0, int64(got.Until.Sub(now))-1).Draw(t, "within")))
			if again := rota.Assess(schedule, promise, within); !reflect.DeepEqual(again, got) {
				t.Fatalf("at %s %+v, at %s %+v\n%s", now, got, within, again, s)
			}
		})
	})
})

var _ = Describe("A day whose first minute comes twice", Label("S24"), func() {
	It("is assessed until the next, and never until what is past", func() {
		stJohns, err := time.LoadLocation("America/St_Johns")
		Expect(err).NotTo(HaveOccurred())
		m := rotaOfOne("America/St_Johns", v1alpha1.RotaLayer{Name: "all"}, "ana")
		schedule, promise := m.schedule(), rota.Always(stJohns)
		for now := utcTime("2010-11-07T02:00"); now.Before(utcTime("2010-11-07T05:00")); now = now.Add(time.Minute) {
			_, next, _ := fortnight(stJohns, now)
			Expect(rota.Assess(schedule, promise, now).Until).To(BeTemporally("==", next), "at %s", now)
			Expect(next).To(BeTemporally(">", now))
		}
	})
})

func checkGaps(t *rapid.T, s scene, gaps []rota.Range, now, until time.Time) {
	t.Helper()
	if err := ordered(gaps); err != nil {
		t.Fatalf("%v\n%s", err, s)
	}
	for _, gap := range gaps {
		if !gap.Until.After(now) || !gap.From.Before(until) {
			t.Fatalf("at %s the gap %v is not one of these 14 days\n%s", now, gap, s)
		}
	}
}

var _ = Describe("An unknown zone", func() {
	It("leaves overrides alone on duty, and says so", func() {
		checkScenes(func(t *rapid.T, s scene) {
			s.Rota.Spec.TimeZone = rapid.SampledFrom([]string{"Mars/Olympus", "Europe/Londn", "../etc/passwd", "Local", ""}).Draw(t, "zone")
			schedule, problems := s.prepare()
			if !slices.ContainsFunc(problems, func(p rota.Problem) bool { return p.Reason == v1alpha1.ReasonUnknownTimeZone }) {
				t.Fatalf("%v", problems)
			}
			segments := schedule.Segments(s.from, s.until)
			if schedule.Location() != time.UTC {
				t.Fatalf("it is read in %s", schedule.Location())
			}
			for _, segment := range segments {
				inForce := len(schedule.InForce(segment.From)) > 0
				if inForce == segment.Nobody() || inForce && segment.Layer != v1alpha1.LayerOverride {
					t.Fatalf("%v", shown(segments))
				}
			}
		})
	})

	It("of a promise is a problem", func() {
		_, problems := rota.NewPromise(v1alpha1.ChannelCoverage{Mode: v1alpha1.CoverageAlways, TimeZone: "Mars/Olympus"}, time.UTC)
		Expect(problems).To(ConsistOf(HaveField("Reason", v1alpha1.ReasonUnknownTimeZone)))
	})
})

var _ = Describe("A start that does not exist", func() {
	It("leaves its layer without anybody, and the others as they are", func() {
		m := rotaOfOne("Europe/London", v1alpha1.RotaLayer{Name: "never", Handoff: &v1alpha1.Handoff{Start: "2026-02-31T09:00:00", Every: 1, Unit: v1alpha1.HandoffDay}}, "ana")
		other := v1alpha1.RotaLayer{Name: "other", TeamRef: v1alpha1.ClusterReference{Name: "care"}, Windows: []v1alpha1.WeeklyWindow{{From: "09:00", To: "18:00"}}}
		m.Rota.Spec.Layers = append(m.Rota.Spec.Layers, other)
		schedule, problems := m.prepare()
		Expect(problems).To(ConsistOf(HaveField("Reason", v1alpha1.ReasonInvalidStart)))
		Expect(dutiesInUTC(schedule.Segments(utcTime("2026-11-02T00:00"), utcTime("2026-11-03T00:00")))).To(Equal([]string{"02T09:00:00 02T18:00:00 ana"}))
	})
})

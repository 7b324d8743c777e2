// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rota_test

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/rota"
)

// The oracle reads a rota as docs/rotas.md tells it to people, in the plainest way there is: it looks at the clock on the
// wall, lists every hand-off from the start and every window of every day, and walks. It knows nothing of how the package
// does it. Instants are whole seconds since 1970, hours on the wall are the seconds which they would be in UTC.

const (
	naiveHour = int64(60 * 60)
	naiveDay  = 24 * naiveHour
	// naiveStep is how far the walk goes at a time.
	naiveStep = int64(30)
)

// manifests are a rota and what belongs to it.
type manifests struct {
	Rota      v1alpha1.ResponderRota   `json:"rota"`
	Overrides []v1alpha1.RotaOverride  `json:"overrides,omitempty"`
	Teams     []v1alpha1.Team          `json:"teams,omitempty"`
	Coverage  v1alpha1.ChannelCoverage `json:"coverage"`
}

func (m manifests) team(name string) *v1alpha1.Team {
	for i := range m.Teams {
		if m.Teams[i].Name == name {
			return &m.Teams[i]
		}
	}
	return nil
}

func (m manifests) prepare() (*rota.Schedule, []rota.Problem) {
	return rota.Prepare(&m.Rota, m.Overrides, m.team)
}

func (m manifests) schedule() *rota.Schedule {
	schedule, _ := m.prepare()
	return schedule
}

// String is what a person would apply to see the same.
func (m manifests) String() string {
	text, err := yaml.Marshal(m)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// naiveSpan is a range of time: its beginning belongs to it, its end does not.
type naiveSpan struct{ from, until int64 }

func (s naiveSpan) holds(at int64) bool { return s.from <= at && at < s.until }

func naiveSpanOf(from, until metav1.Time) naiveSpan { return naiveSpan{from.Unix(), until.Unix()} }

func anySpanHolds(spans []naiveSpan, at int64) bool {
	return slices.ContainsFunc(spans, func(s naiveSpan) bool { return s.holds(at) })
}

// naiveClock is a clock on a wall: stretches of time in which it is not moved.
type naiveClock struct{ stretches []naiveStretch }

type naiveStretch struct{ from, until, offset int64 }

func naiveOffset(zone *time.Location, at int64) int64 {
	_, offset := time.Unix(at, 0).In(zone).Zone()
	return int64(offset)
}

// newNaiveClock looks at the clock every hour, and where it was moved, every second.
func newNaiveClock(zone *time.Location, from, until int64) *naiveClock {
	clock, open := &naiveClock{}, naiveStretch{from: from, offset: naiveOffset(zone, from)}
	for at := from; at < until; at += naiveHour {
		if naiveOffset(zone, at+naiveHour) == open.offset {
			continue
		}
		for second := at + 1; second <= at+naiveHour; second++ {
			if offset := naiveOffset(zone, second); offset != open.offset {
				open.until = second
				clock.stretches = append(clock.stretches, open)
				open = naiveStretch{from: second, offset: offset}
			}
		}
	}
	open.until = until + naiveHour
	clock.stretches = append(clock.stretches, open)
	return clock
}

// changes are the instants at which the clock is moved.
func (c *naiveClock) changes() []int64 {
	var at []int64
	for _, stretch := range c.stretches[1:] {
		at = append(at, stretch.from)
	}
	return at
}

// instant is when the clock first shows an hour, or goes forward over it.
func (c *naiveClock) instant(wall int64) int64 {
	for i, stretch := range c.stretches {
		switch at := wall - stretch.offset; {
		case at < stretch.from && i == 0:
			panic("the clock of the oracle begins too late")
		case at < stretch.from:
			return stretch.from
		case at < stretch.until:
			return at
		}
	}
	panic("the clock of the oracle ends too soon")
}

// naivePlace is a place in the row of a layer.
type naivePlace struct {
	name  string
	known bool
	in    naiveSpan
	away  []naiveSpan
}

func (p naivePlace) open(at int64) bool { return !p.known || p.in.holds(at) }

func (p naivePlace) there(at int64) bool {
	return p.known && p.in.holds(at) && !anySpanHolds(p.away, at)
}

// naiveTurn is a turn: when it begins, and at which place one begins to ask.
type naiveTurn struct {
	at    int64
	asked int
}

type naiveLayer struct {
	name, team string
	row        []naivePlace
	allHours   bool
	hours      []naiveSpan
	turns      []naiveTurn
}

func (l *naiveLayer) at(at int64) (string, bool) {
	if !l.allHours && !anySpanHolds(l.hours, at) {
		return "", false
	}
	begun := sort.Search(len(l.turns), func(i int) bool { return l.turns[i].at > at })
	if begun == 0 {
		return "", false
	}
	for i := range l.row {
		place := l.row[(l.turns[begun-1].asked+i)%len(l.row)]
		if place.there(at) {
			return place.name, true
		}
	}
	return "", false
}

type naiveOverride struct {
	span, in           naiveSpan
	name, member, team string
}

// above tells whether this one answers rather than the other.
func (o naiveOverride) above(other naiveOverride) bool {
	switch {
	case o.span.from != other.span.from:
		return o.span.from > other.span.from
	case o.span.until != other.span.until:
		return o.span.until < other.span.until
	}
	return o.name < other.name
}

// naiveRota is a rota as the oracle reads it.
type naiveRota struct {
	overrides []naiveOverride
	layers    []naiveLayer
	edges     []int64 // every instant at which an answer could change
}

// newNaiveRota reads a rota for the questions that are asked of a range.
func newNaiveRota(m manifests, asked naiveSpan) *naiveRota {
	zone, err := time.LoadLocation(m.Rota.Spec.TimeZone)
	if err != nil {
		panic(err)
	}
	clock := naiveClockFor(m, zone, asked)
	read := &naiveRota{}
	for _, override := range m.Overrides {
		if override.Namespace == m.Rota.Namespace && override.Spec.ResponderRotaRef.Name == m.Rota.Name {
			read.addOverride(m, override)
		}
	}
	for _, layer := range m.Rota.Spec.Layers {
		made := naiveLayer{name: layer.Name, team: layer.TeamRef.Name, row: naiveRow(m, layer), allHours: len(layer.Windows) == 0}
		made.hours = naiveHours(clock, layer.Windows, asked)
		made.turns = naiveTurns(clock, layer.Handoff, made.row, asked.until)
		read.layers = append(read.layers, made)
	}
	read.findEdges(asked)
	return read
}

// naiveClockFor begins before the first hand-off and ends after what is asked.
func naiveClockFor(m manifests, zone *time.Location, asked naiveSpan) *naiveClock {
	from := asked.from
	for _, layer := range m.Rota.Spec.Layers {
		if layer.Handoff != nil {
			from = min(from, naiveWall(layer.Handoff.Start))
		}
	}
	return newNaiveClock(zone, from-10*naiveDay, asked.until+40*naiveDay)
}

// naiveWall is the date and time of a hand-off's start.
func naiveWall(start string) int64 {
	parsed, err := time.Parse("2006-01-02T15:04:05", start)
	if err != nil {
		panic(err)
	}
	return parsed.Unix()
}

// naiveOfDay is how long after midnight an hour is, by the clock.
func naiveOfDay(hour string) int64 {
	hours, err := strconv.Atoi(hour[:2])
	if err != nil {
		panic(err)
	}
	minutes, err := strconv.Atoi(hour[3:])
	if err != nil {
		panic(err)
	}
	return int64(hours)*naiveHour + int64(minutes)*60
}

// naiveMembership is when somebody is in a team; false if the team does not know the name.
func naiveMembership(m manifests, team, name string) (naiveSpan, bool) {
	found := m.team(team)
	if found == nil {
		return naiveSpan{}, false
	}
	for _, member := range found.Spec.Members {
		if member.Name != name {
			continue
		}
		in := naiveSpan{math.MinInt64, math.MaxInt64}
		if member.From != nil {
			in.from = member.From.Unix()
		}
		if member.Until != nil {
			in.until = member.Until.Unix()
		}
		return in, true
	}
	return naiveSpan{}, false
}

func naiveRow(m manifests, layer v1alpha1.RotaLayer) []naivePlace {
	names := layer.Members
	if team := m.team(layer.TeamRef.Name); len(names) == 0 && team != nil {
		for _, member := range team.Spec.Members {
			names = append(names, member.Name)
		}
	}
	var row []naivePlace
	for _, name := range names {
		place := naivePlace{name: name}
		place.in, place.known = naiveMembership(m, layer.TeamRef.Name, name)
		for _, away := range m.Rota.Spec.Unavailability {
			if away.Member == name && (away.TeamRef == nil || away.TeamRef.Name == layer.TeamRef.Name) {
				place.away = append(place.away, naiveSpanOf(away.From, away.Until))
			}
		}
		row = append(row, place)
	}
	return row
}

// naiveHours lists the windows of each day that could have to do with a range.
func naiveHours(clock *naiveClock, windows []v1alpha1.WeeklyWindow, asked naiveSpan) []naiveSpan {
	var hours []naiveSpan
	first := time.Unix(asked.from, 0).UTC().Truncate(24 * time.Hour).Unix()
	for day := first - 4*naiveDay; day <= asked.until+4*naiveDay; day += naiveDay {
		weekday := v1alpha1.Weekday(time.Unix(day, 0).UTC().Format("Mon"))
		for _, window := range windows {
			if len(window.Days) > 0 && !slices.Contains(window.Days, weekday) {
				continue
			}
			from, to := naiveOfDay(window.From), naiveOfDay(window.To)
			if to <= from {
				to += naiveDay
			}
			hours = append(hours, naiveSpan{clock.instant(day + from), clock.instant(day + to)})
		}
	}
	return hours
}

// naiveTurns goes from hand-off to hand-off, from the start on.
func naiveTurns(clock *naiveClock, handoff *v1alpha1.Handoff, row []naivePlace, until int64) []naiveTurn {
	if handoff == nil {
		return []naiveTurn{{at: math.MinInt64}}
	}
	length := int64(handoff.Every) * map[v1alpha1.HandoffUnit]int64{
		v1alpha1.HandoffHour: naiveHour, v1alpha1.HandoffDay: naiveDay, v1alpha1.HandoffWeek: 7 * naiveDay,
	}[handoff.Unit]
	var turns []naiveTurn
	last := -1 // the place of the last turn that belonged to one
	for wall := naiveWall(handoff.Start); wall <= until+4*naiveDay; wall += length {
		turn := naiveTurn{at: clock.instant(wall), asked: last + 1}
		for i := range row {
			place := (last + 1 + i) % len(row)
			if row[place].open(turn.at) {
				turn.asked, last = place, place
				break
			}
		}
		turns = append(turns, turn)
	}
	return turns
}

func (n *naiveRota) addOverride(m manifests, override v1alpha1.RotaOverride) {
	in, known := naiveMembership(m, override.Spec.TeamRef.Name, override.Spec.Member)
	if !known {
		return
	}
	n.overrides = append(n.overrides, naiveOverride{
		span: naiveSpanOf(override.Spec.From, override.Spec.Until), in: in,
		name: override.Name, member: override.Spec.Member, team: override.Spec.TeamRef.Name,
	})
}

func (n *naiveRota) findEdges(asked naiveSpan) {
	for _, o := range n.overrides {
		n.edges = append(n.edges, o.span.from, o.span.until, o.in.from, o.in.until)
	}
	for _, layer := range n.layers {
		for _, turn := range layer.turns {
			n.edges = append(n.edges, turn.at)
		}
		for _, span := range layer.hours {
			n.edges = append(n.edges, span.from, span.until)
		}
		for _, place := range layer.row {
			n.edges = append(n.edges, place.in.from, place.in.until)
			for _, span := range place.away {
				n.edges = append(n.edges, span.from, span.until)
			}
		}
	}
	n.edges = slices.DeleteFunc(n.edges, func(at int64) bool { return at <= asked.from || at >= asked.until })
}

// inForce are the overrides that count at an instant, the answering one first.
func (n *naiveRota) inForce(at int64) []naiveOverride {
	var found []naiveOverride
	for _, override := range n.overrides {
		if !override.span.holds(at) || !override.in.holds(at) {
			continue
		}
		below := slices.IndexFunc(found, override.above)
		if below < 0 {
			below = len(found)
		}
		found = slices.Insert(found, below, override)
	}
	return found
}

// at is who answers.
func (n *naiveRota) at(at int64) rota.Duty {
	if found := n.inForce(at); len(found) > 0 {
		return rota.Duty{Member: found[0].member, Team: found[0].team, Layer: "override"}
	}
	for i := range n.layers {
		if name, found := n.layers[i].at(at); found {
			return rota.Duty{Member: name, Team: n.layers[i].team, Layer: n.layers[i].name}
		}
	}
	return rota.Duty{}
}

// naivePromise are the hours at which a channel promises to be watched.
func naivePromise(m manifests, asked naiveSpan) []naiveSpan {
	name := m.Coverage.TimeZone
	if name == "" {
		name = m.Rota.Spec.TimeZone
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	switch m.Coverage.Mode {
	case v1alpha1.CoverageAlways:
		return []naiveSpan{{math.MinInt64, math.MaxInt64}}
	case v1alpha1.CoverageWindows:
		return naiveHours(newNaiveClock(zone, asked.from-20*naiveDay, asked.until+40*naiveDay), m.Coverage.Windows, asked)
	}
	return nil
}

// walk is one comparison of the package with the oracle over a range.
type walk struct {
	asked    naiveSpan
	step     int64
	oracle   *naiveRota
	promise  []naiveSpan
	schedule *rota.Schedule
	segments []rota.Segment
	hours    []rota.Range
	gaps     []rota.Range
	compared int
}

func newWalk(m manifests, from, until int64) (*walk, error) {
	w := &walk{asked: naiveSpan{from, until}, step: naiveStep, schedule: m.schedule()}
	w.oracle, w.promise = newNaiveRota(m, w.asked), naivePromise(m, w.asked)
	w.segments = w.schedule.Segments(time.Unix(from, 0), time.Unix(until, 0))
	promise, problems := rota.NewPromise(m.Coverage, w.schedule.Location())
	for _, problem := range problems {
		if problem.Reason != v1alpha1.ReasonWindowsOverlap {
			return nil, fmt.Errorf("the promise has the problem %v", problem)
		}
	}
	w.hours = promise.Hours(time.Unix(from, 0), time.Unix(until, 0))
	w.gaps = rota.Gaps(w.schedule, promise, time.Unix(from, 0), time.Unix(until, 0))
	return w, nil
}

// run goes through the range by the step, and to the second before and after everything that could change.
func (w *walk) run() error {
	instants := slices.Clone(w.oracle.edges)
	for _, span := range w.promise {
		instants = append(instants, span.from, span.until)
	}
	for _, segment := range w.segments {
		instants = append(instants, segment.From.Unix())
	}
	for _, at := range slices.Clone(instants) {
		instants = append(instants, at-1, at+1)
	}
	for at := w.asked.from; at < w.asked.until; at += w.step {
		instants = append(instants, at)
	}
	slices.Sort(instants)
	instants = slices.DeleteFunc(slices.Compact(instants), func(at int64) bool { return !w.asked.holds(at) })
	if err := tile(w.segments, time.Unix(w.asked.from, 0), time.Unix(w.asked.until, 0)); err != nil {
		return err
	}
	segment := 0
	for i, at := range instants {
		for !w.segments[segment].Until.After(time.Unix(at, 0)) {
			segment++
		}
		if err := w.compare(at, int64(i%2)*999_999_999, w.segments[segment].Duty); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) compare(at, fraction int64, inSegment rota.Duty) error {
	w.compared++
	instant, want := time.Unix(at, fraction), w.oracle.at(at)
	if got := w.schedule.At(instant); got != want {
		return fmt.Errorf("at %s At says %+v, and it is %+v", w.shown(at), got, want)
	}
	if inSegment != want {
		return fmt.Errorf("at %s Segments say %+v, and it is %+v", w.shown(at), inSegment, want)
	}
	promised := anySpanHolds(w.promise, at)
	if got := anyRangeHolds(w.hours, instant); got != promised {
		return fmt.Errorf("at %s Hours say %t, and it is %t", w.shown(at), got, promised)
	}
	if got, want := anyRangeHolds(w.gaps, instant), promised && want == (rota.Duty{}); got != want {
		return fmt.Errorf("at %s there is a gap: Gaps say %t, and it is %t", w.shown(at), got, want)
	}
	return w.compareInForce(at, instant)
}

func (w *walk) compareInForce(at int64, instant time.Time) error {
	var want []string
	for _, override := range w.oracle.inForce(at) {
		want = append(want, override.name)
	}
	got := w.schedule.InForce(instant)
	if len(want) > 0 && len(got) > 0 && got[0] != want[0] {
		return fmt.Errorf("at %s the override %s answers, and it is %s", w.shown(at), got[0], want[0])
	}
	if !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
		return fmt.Errorf("at %s the overrides %v are in force, and they are %v", w.shown(at), got, want)
	}
	return nil
}

func (w *walk) shown(at int64) string {
	return time.Unix(at, 0).In(w.schedule.Location()).Format("Mon 2006-01-02T15:04:05Z07:00")
}

func anyRangeHolds(ranges []rota.Range, at time.Time) bool {
	return slices.ContainsFunc(ranges, func(r rota.Range) bool { return !at.Before(r.From) && at.Before(r.Until) })
}

// tile tells where segments leave a hole, overlap, or part what is one.
func tile(segments []rota.Segment, from, until time.Time) error {
	if !from.Before(until) {
		if segments != nil {
			return fmt.Errorf("%d segments of no time", len(segments))
		}
		return nil
	}
	if len(segments) == 0 || !segments[0].From.Equal(from) || !segments[len(segments)-1].Until.Equal(until) {
		return fmt.Errorf("the segments %v are not from %s until %s", segments, from.UTC(), until.UTC())
	}
	for i, segment := range segments {
		switch {
		case !segment.From.Before(segment.Until):
			return fmt.Errorf("the segment %v lasts no time", segment)
		case i > 0 && !segments[i-1].Until.Equal(segment.From):
			return fmt.Errorf("%v does not begin where %v ends", segment, segments[i-1])
		case i > 0 && segments[i-1].Duty == segment.Duty:
			return fmt.Errorf("%v and %v are one", segments[i-1], segment)
		case segment.Nobody() != (segment.Duty == rota.Duty{}):
			return fmt.Errorf("%v is nobody and somebody", segment)
		}
	}
	return nil
}

var _ = Describe("The oracle itself", func() {
	london, err := time.LoadLocation("Europe/London")
	clock := newNaiveClock(london, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC).Unix())

	DescribeTable("reads the clocks of the worked example",
		func(wall, instant string) {
			Expect(err).NotTo(HaveOccurred())
			got := time.Unix(clock.instant(naiveWall(wall)), 0).UTC().Format("2006-01-02T15:04:05")
			Expect(got).To(Equal(instant))
		},
		Entry(nil, "2026-03-28T22:00:00", "2026-03-28T22:00:00"),
		Entry(nil, "2026-03-29T00:30:00", "2026-03-29T00:30:00"),
		Entry(nil, "2026-03-29T01:00:00", "2026-03-29T01:00:00"),
		Entry(nil, "2026-03-29T01:30:00", "2026-03-29T01:00:00"),
		Entry(nil, "2026-03-29T02:00:00", "2026-03-29T01:00:00"),
		Entry(nil, "2026-03-29T06:00:00", "2026-03-29T05:00:00"),
		Entry(nil, "2026-10-24T22:00:00", "2026-10-24T21:00:00"),
		Entry(nil, "2026-10-25T00:30:00", "2026-10-24T23:30:00"),
		Entry(nil, "2026-10-25T01:00:00", "2026-10-25T00:00:00"),
		Entry(nil, "2026-10-25T01:30:00", "2026-10-25T00:30:00"),
		Entry(nil, "2026-10-25T02:00:00", "2026-10-25T02:00:00"),
		Entry(nil, "2026-10-25T06:00:00", "2026-10-25T06:00:00"),
	)

	It("finds every hour as one who looks at the clock each second does", func() {
		for _, change := range clock.changes() {
			for wall := change - 2*naiveHour; wall < change+4*naiveHour; wall += 900 {
				at := change - 9*naiveHour
				for at+naiveOffset(london, at) < wall {
					at++
				}
				Expect(clock.instant(wall)).To(Equal(at))
			}
		}
	})
})

// oraclePlaces are zones with a year, and how often clocks change in it.
func oraclePlaces() map[string]int {
	return map[string]int{
		"Africa/Cairo 2026":        2,
		"Africa/Casablanca 2026":   2, // forward after Ramadan, and back before it
		"Africa/Monrovia 1972":     1, // by 44 minutes and 30 seconds
		"America/New_York 2026":    2,
		"America/Sao_Paulo 2018":   2, // at midnight
		"America/St_Johns 2010":    2, // at a minute past midnight
		"America/St_Johns 2026":    2,
		"Antarctica/Troll 2026":    2, // by two hours
		"America/Nuuk 2026":        2, // in the evening of the day before
		"Asia/Beirut 2026":         2, // at midnight
		"Asia/Kathmandu 1985":      1, // by a quarter of an hour
		"Asia/Pyongyang 2018":      1,
		"Asia/Tehran 2021":         2,
		"Asia/Tokyo 2026":          0,
		"Australia/Lord_Howe 2026": 2, // by half an hour
		"Europe/Dublin 2026":       2, // where winter is the exception
		"Europe/London 2026":       2,
		"Europe/London 2150":       2, // by the rule alone, for no change is written down
		"Pacific/Apia 2011":        3, // 30 December does not come
		"Pacific/Chatham 2026":     2,
		"Pacific/Kwajalein 1993":   1, // a day does not come
		"America/Juneau 1867":      1, // a day comes twice
		"UTC 2026":                 0,
	}
}

var _ = Describe("A rota in many zones", Label("oracle"), func() {
	const (
		rotas  = 40
		around = 2 * naiveDay
	)
	names := make([]string, 0, len(oraclePlaces()))
	for name := range oraclePlaces() {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		It("is read as people read it in "+name, func() {
			var (
				zoneName string
				year     int
			)
			Expect(fmt.Sscan(name, &zoneName, &year)).To(Equal(2))
			zone, err := time.LoadLocation(zoneName)
			Expect(err).NotTo(HaveOccurred())
			start := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
			centres := newNaiveClock(zone, start, start+365*naiveDay).changes()
			Expect(centres).To(HaveLen(oraclePlaces()[name]), "the changes of clocks")
			// And a leap day on which nothing else happens.
			centres = append(centres, time.Date(2028, 2, 29, 3, 0, 0, 0, time.UTC).Unix())
			compared := 0
			for i, centre := range centres {
				for seed := range rotas {
					drawn := anyManifests(zoneName, time.Unix(centre, 0)).Example(1000*i + seed)
					w, err := newWalk(drawn, centre-around, centre+around)
					Expect(err).NotTo(HaveOccurred(), "%s", drawn)
					Expect(w.run()).To(Succeed(), "%s", drawn)
					compared += w.compared
				}
			}
			AddReportEntry("instants compared", compared, ReportEntryVisibilityFailureOrVerbose)
		})
	}
})

var _ = Describe("A rota through a whole year", Label("oracle"), func() {
	for _, place := range []string{"Australia/Lord_Howe 2026", "Africa/Casablanca 2026", "America/St_Johns 2010", "Pacific/Apia 2011"} {
		It("is read as people read it in "+place, func() {
			var (
				zoneName string
				year     int
			)
			Expect(fmt.Sscan(place, &zoneName, &year)).To(Equal(2))
			for seed := range 10 {
				begin := time.Date(year, time.Month(1+seed), 1, 0, 0, 0, 0, time.UTC)
				drawn := anyManifests(zoneName, begin.AddDate(0, 0, 20)).Example(seed)
				w, err := newWalk(drawn, begin.Unix(), begin.AddDate(1, 0, 0).Unix())
				Expect(err).NotTo(HaveOccurred(), "%s", drawn)
				w.step = naiveHour // and to all that changes
				Expect(w.run()).To(Succeed(), "%s", drawn)
			}
		})
	}
})

// rotaOfOne is a team, and a rota of one layer in which everybody takes turns.
func rotaOfOne(zone string, layer v1alpha1.RotaLayer, names ...string) manifests {
	team := v1alpha1.Team{ObjectMeta: metav1.ObjectMeta{Name: "care"}}
	for _, name := range names {
		team.Spec.Members = append(team.Spec.Members, v1alpha1.TeamMember{Name: name})
	}
	layer.TeamRef.Name = "care"
	made := manifests{Teams: []v1alpha1.Team{team}, Coverage: v1alpha1.ChannelCoverage{Mode: v1alpha1.CoverageAlways}}
	made.Rota.Name, made.Rota.Namespace = "care", "social"
	made.Rota.Spec = v1alpha1.ResponderRotaSpec{TimeZone: zone, Layers: []v1alpha1.RotaLayer{layer}}
	return made
}

// dutiesInUTC are segments in UTC, as "27T22:00:00 28T06:00:00 ana"; those of nobody are left out.
func dutiesInUTC(segments []rota.Segment) []string {
	const short = "02T15:04:05"
	var shown []string
	for _, segment := range segments {
		if !segment.Nobody() {
			shown = append(shown, segment.From.UTC().Format(short)+" "+segment.Until.UTC().Format(short)+" "+segment.Member)
		}
	}
	return shown
}

func utcTime(text string) time.Time {
	GinkgoHelper()
	parsed, err := time.Parse("2006-01-02T15:04", text)
	Expect(err).NotTo(HaveOccurred())
	return parsed
}

var _ = Describe("A night rota when clocks change", Label("S24"), func() {
	DescribeTable("loses nobody's shift, doubles none, and leaves exactly the days",
		func(zone, start, from, until string, nights ...string) {
			m := rotaOfOne(zone, v1alpha1.RotaLayer{
				Name:    "night",
				Handoff: &v1alpha1.Handoff{Start: start, Every: 1, Unit: v1alpha1.HandoffDay},
				Windows: []v1alpha1.WeeklyWindow{{From: "22:00", To: "06:00"}},
			}, "ana", "ben", "cem")
			schedule := m.schedule()
			segments := schedule.Segments(utcTime(from), utcTime(until))
			Expect(dutiesInUTC(segments)).To(Equal(nights))
			var days []rota.Range
			for _, segment := range segments {
				if segment.Nobody() {
					days = append(days, rota.Range{From: segment.From, Until: segment.Until})
				}
			}
			Expect(days).To(HaveLen(len(nights) + 1))
			gaps := rota.Gaps(schedule, rota.Always(schedule.Location()), utcTime(from), utcTime(until))
			Expect(gaps).To(HaveLen(len(days)))
			for i, gap := range gaps {
				Expect(gap.From).To(BeTemporally("==", days[i].From))
				Expect(gap.Until).To(BeTemporally("==", days[i].Until))
			}
			w, err := newWalk(m, utcTime(from).Unix(), utcTime(until).Unix())
			Expect(err).NotTo(HaveOccurred())
			Expect(w.run()).To(Succeed())
		},
		Entry("forward in London: an hour less", "Europe/London", "2026-03-27T22:00:00", "2026-03-27T12:00", "2026-03-30T12:00",
			"27T22:00:00 28T06:00:00 ana", "28T22:00:00 29T05:00:00 ben", "29T21:00:00 30T05:00:00 cem"),
		Entry("back in London: an hour more", "Europe/London", "2026-10-23T22:00:00", "2026-10-23T12:00", "2026-10-26T12:00",
			"23T21:00:00 24T05:00:00 ana", "24T21:00:00 25T06:00:00 ben", "25T22:00:00 26T06:00:00 cem"),
		Entry("forward in New York: an hour less", "America/New_York", "2026-03-06T22:00:00", "2026-03-06T18:00", "2026-03-09T18:00",
			"07T03:00:00 07T11:00:00 ana", "08T03:00:00 08T10:00:00 ben", "09T02:00:00 09T10:00:00 cem"),
		Entry("back in New York: an hour more", "America/New_York", "2026-10-30T22:00:00", "2026-10-30T18:00", "2026-11-02T18:00",
			"31T02:00:00 31T10:00:00 ana", "01T02:00:00 01T11:00:00 ben", "02T03:00:00 02T11:00:00 cem"),
		Entry("forward on Lord Howe: half an hour less", "Australia/Lord_Howe", "2026-10-02T22:00:00", "2026-10-02T06:00", "2026-10-05T06:00",
			"02T11:30:00 02T19:30:00 ana", "03T11:30:00 03T19:00:00 ben", "04T11:00:00 04T19:00:00 cem"),
		Entry("back on Lord Howe: half an hour more", "Australia/Lord_Howe", "2026-04-03T22:00:00", "2026-04-03T06:00", "2026-04-06T06:00",
			"03T11:00:00 03T19:00:00 ana", "04T11:00:00 04T19:30:00 ben", "05T11:30:00 05T19:30:00 cem"),
	)

	DescribeTable("hands over inside the change",
		func(zone string, handoff v1alpha1.Handoff, from, until string, turns ...string) {
			m := rotaOfOne(zone, v1alpha1.RotaLayer{Name: "all", Handoff: &handoff}, "ana", "ben", "cem")
			Expect(dutiesInUTC(m.schedule().Segments(utcTime(from), utcTime(until)))).To(Equal(turns))
		},
		Entry("by the hour, forward in London: no hour of ben's comes",
			"Europe/London", v1alpha1.Handoff{Start: "2026-03-29T00:00:00", Every: 1, Unit: v1alpha1.HandoffHour},
			"2026-03-28T23:00", "2026-03-29T03:00",
			"29T00:00:00 29T01:00:00 ana", "29T01:00:00 29T02:00:00 cem", "29T02:00:00 29T03:00:00 ana"),
		Entry("by the hour, back in London: ben works two",
			"Europe/London", v1alpha1.Handoff{Start: "2026-10-25T00:00:00", Every: 1, Unit: v1alpha1.HandoffHour},
			"2026-10-24T22:00", "2026-10-25T04:00",
			"24T23:00:00 25T00:00:00 ana", "25T00:00:00 25T02:00:00 ben", "25T02:00:00 25T03:00:00 cem", "25T03:00:00 25T04:00:00 ana"),
		Entry("by the day, at an hour that comes twice",
			"America/New_York", v1alpha1.Handoff{Start: "2026-10-31T01:30:00", Every: 1, Unit: v1alpha1.HandoffDay},
			"2026-10-31T00:00", "2026-11-02T12:00",
			"31T05:30:00 01T05:30:00 ana", "01T05:30:00 02T06:30:00 ben", "02T06:30:00 02T12:00:00 cem"),
		Entry("by the day, at an hour that does not come",
			"Australia/Lord_Howe", v1alpha1.Handoff{Start: "2026-10-03T02:15:00", Every: 1, Unit: v1alpha1.HandoffDay},
			"2026-10-02T12:00", "2026-10-05T00:00",
			"02T15:45:00 03T15:30:00 ana", "03T15:30:00 04T15:15:00 ben", "04T15:15:00 05T00:00:00 cem"),
		Entry("by the day, over a day that does not come: ben's is lost, and nobody else's",
			"Pacific/Apia", v1alpha1.Handoff{Start: "2011-12-29T00:00:00", Every: 1, Unit: v1alpha1.HandoffDay},
			"2011-12-28T00:00", "2012-01-01T00:00",
			"29T10:00:00 30T10:00:00 ana", "30T10:00:00 31T10:00:00 cem", "31T10:00:00 01T00:00:00 ana"),
		Entry("by the week, over a day that does not come",
			"Pacific/Apia", v1alpha1.Handoff{Start: "2011-12-23T09:00:00", Every: 1, Unit: v1alpha1.HandoffWeek},
			"2011-12-22T00:00", "2012-01-08T00:00",
			"23T19:00:00 30T10:00:00 ana", "30T10:00:00 05T19:00:00 ben", "05T19:00:00 08T00:00:00 cem"),
	)

	DescribeTable("reads a window inside the change",
		func(from, until string, hours ...string) {
			m := rotaOfOne("Europe/London", v1alpha1.RotaLayer{Name: "window", Windows: []v1alpha1.WeeklyWindow{{From: "01:30", To: "02:00"}}}, "ana")
			Expect(dutiesInUTC(m.schedule().Segments(utcTime(from), utcTime(until)))).To(Equal(hours))
		},
		Entry("lasting no time", "2026-03-28T12:00", "2026-03-30T12:00", "30T00:30:00 30T01:00:00 ana"),
		Entry("lasting an hour and a half", "2026-10-24T12:00", "2026-10-26T12:00", "25T00:30:00 25T02:00:00 ana", "26T01:30:00 26T02:00:00 ana"),
	)
})

var _ = Describe("A start far away", func() {
	DescribeTable("is counted from as from any other",
		func(zone, start string, every int, unit v1alpha1.HandoffUnit, from string) {
			m := rotaOfOne(zone, v1alpha1.RotaLayer{Name: "long", Handoff: &v1alpha1.Handoff{Start: start, Every: int32(every), Unit: unit}}, "ana", "ben", "cem", "dov", "eva")
			joined, left := metav1.NewTime(utcTime(from).AddDate(-1, 0, 0)), metav1.NewTime(utcTime(from).Add(30*time.Hour))
			m.Teams[0].Spec.Members[1].From, m.Teams[0].Spec.Members[3].Until = &joined, &left
			w, err := newWalk(m, utcTime(from).Unix(), utcTime(from).Add(72*time.Hour).Unix())
			Expect(err).NotTo(HaveOccurred())
			Expect(w.run()).To(Succeed())
		},
		Entry("the year 1", "Europe/London", "0001-01-01T00:00:00", 1, v1alpha1.HandoffDay, "2026-10-24T00:00"),
		Entry("the year 0", "UTC", "0000-02-29T12:00:00", 7, v1alpha1.HandoffHour, "2026-10-24T00:00"),
		Entry("hours since 1900", "America/New_York", "1900-01-01T00:30:00", 1, v1alpha1.HandoffHour, "2026-10-31T12:00"),
		Entry("a thousand weeks at a time", "America/Sao_Paulo", "1850-06-01T00:00:00", 1000, v1alpha1.HandoffWeek, "2018-11-03T00:00"),
		Entry("the next year", "Asia/Tokyo", "2027-01-01T00:00:00", 1, v1alpha1.HandoffDay, "2026-10-24T00:00"),
		Entry("the year 9999", "Europe/London", "9999-12-31T23:59:59", 1, v1alpha1.HandoffHour, "2026-10-24T00:00"),
		Entry("in the year 9999", "Europe/London", "9999-12-30T23:59:59", 1, v1alpha1.HandoffHour, "9999-12-30T12:00"),
		Entry("on a leap day", "Europe/London", "2028-02-29T09:00:00", 1, v1alpha1.HandoffDay, "2028-02-28T12:00"),
	)
})

var _ = Describe("Turns", func() {
	const (
		monday, tuesday, wednesday, thursday, friday, saturday = "02T12:00:00", "03T12:00:00", "04T12:00:00", "05T12:00:00", "06T12:00:00", "07T12:00:00"
	)
	member := func(name, from, until string) v1alpha1.TeamMember {
		made := v1alpha1.TeamMember{Name: name}
		if from != "" {
			made.From = new(metav1.NewTime(utcTime("2026-11-" + from)))
		}
		if until != "" {
			made.Until = new(metav1.NewTime(utcTime("2026-11-" + until)))
		}
		return made
	}
	always := func(name string) v1alpha1.TeamMember { return member(name, "", "") }
	turn := func(from, until, name string) string { return from + " " + until + " " + name }

	// From Monday noon on, a day each, until Saturday noon.
	DescribeTable("go from place to place",
		func(change func(*manifests), members []v1alpha1.TeamMember, turns ...string) {
			m := rotaOfOne("UTC", v1alpha1.RotaLayer{Name: "all", Handoff: &v1alpha1.Handoff{Start: "2026-11-02T12:00:00", Every: 1, Unit: v1alpha1.HandoffDay}})
			m.Teams[0].Spec.Members = members
			if change != nil {
				change(&m)
			}
			Expect(dutiesInUTC(m.schedule().Segments(utcTime("2026-11-02T00:00"), utcTime("2026-11-07T12:00")))).To(Equal(turns))
			w, err := newWalk(m, utcTime("2026-11-02T00:00").Unix(), utcTime("2026-11-07T12:00").Unix())
			Expect(err).NotTo(HaveOccurred())
			Expect(w.run()).To(Succeed())
		},
		Entry("of three", nil, []v1alpha1.TeamMember{always("ana"), always("ben"), always("cem")},
			turn(monday, tuesday, "ana"), turn(tuesday, wednesday, "ben"), turn(wednesday, thursday, "cem"), turn(thursday, friday, "ana"), turn(friday, saturday, "ben")),
		Entry("and past one who left in the middle of a turn", nil, []v1alpha1.TeamMember{always("ana"), member("ben", "", "03T18:00"), always("cem")},
			turn(monday, tuesday, "ana"), turn(tuesday, "03T18:00:00", "ben"), turn("03T18:00:00", thursday, "cem"), turn(thursday, friday, "ana"), turn(friday, saturday, "cem")),
		Entry("and to one who joins, when the row comes to the place", nil, []v1alpha1.TeamMember{always("ana"), member("ben", "03T18:00", ""), always("cem")},
			turn(monday, tuesday, "ana"), turn(tuesday, wednesday, "cem"), turn(wednesday, thursday, "ana"), turn(thursday, friday, "ben"), turn(friday, saturday, "cem")),
		Entry("from which one who joins at a hand-off is not missing", nil, []v1alpha1.TeamMember{always("ana"), member("ben", "03T12:00", "")},
			turn(monday, tuesday, "ana"), turn(tuesday, wednesday, "ben"), turn(wednesday, thursday, "ana"), turn(thursday, friday, "ben"), turn(friday, saturday, "ana")),
		Entry("also where nobody is, and then on from the last one's", nil,
			[]v1alpha1.TeamMember{member("ana", "04T18:00", ""), member("ben", "", "03T12:00"), member("cem", "04T15:00", "")},
			turn(monday, tuesday, "ben"), turn("04T15:00:00", friday, "cem"), turn(friday, saturday, "ana")),
		Entry("also where nobody was yet, and then on from the first", nil,
			[]v1alpha1.TeamMember{member("ana", "03T18:00", ""), member("ben", "03T15:00", "")},
			turn("03T15:00:00", "03T18:00:00", "ben"), turn("03T18:00:00", thursday, "ana"), turn(thursday, friday, "ben"), turn(friday, saturday, "ana")),
		Entry("also to one whom the team does not know, for whom the next stands in",
			func(m *manifests) { m.Rota.Spec.Layers[0].Members = []string{"ana", "ghost", "cem"} },
			[]v1alpha1.TeamMember{always("cem"), always("ana")},
			turn(monday, tuesday, "ana"), turn(tuesday, thursday, "cem"), turn(thursday, friday, "ana"), turn(friday, saturday, "cem")),
		Entry("while one who stands in keeps the own turn",
			func(m *manifests) {
				m.Rota.Spec.Unavailability = []v1alpha1.Unavailability{{
					Member: "ben", From: metav1.NewTime(utcTime("2026-11-03T00:00")), Until: metav1.NewTime(utcTime("2026-11-03T18:00")),
				}}
			},
			[]v1alpha1.TeamMember{always("ana"), always("ben"), always("cem")},
			turn(monday, tuesday, "ana"), turn(tuesday, "03T18:00:00", "cem"), turn("03T18:00:00", wednesday, "ben"),
			turn(wednesday, thursday, "cem"), turn(thursday, friday, "ana"), turn(friday, saturday, "ben")),
	)
})

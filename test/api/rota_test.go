// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

const (
	goodRota = `
apiVersion: social.rostra.dev/v1alpha1
kind: ResponderRota
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
  unavailability: [{member: dana, from: "2026-12-24T00:00:00Z", until: "2026-12-27T00:00:00Z"}]
`
	goodOverride = `
apiVersion: social.rostra.dev/v1alpha1
kind: RotaOverride
metadata: {name: dana-covers-friday, namespace: social}
spec: {responderRotaRef: {name: care}, teamRef: {name: customer-care}, member: dana, from: "2026-11-27T18:00:00Z", until: "2026-11-28T09:00:00Z", reason: swap with maria}
`
)

// The words in which the API server says what to do.
const (
	zoneWords   = "timeZone must be a name of the IANA database such as Europe/London, or UTC"
	startWords  = "start must be a date and time without a zone such as 2026-11-02T09:00:00: it is read in the rota's timeZone"
	fromWords   = "from must be a time of day from 00:00 to 23:59, for example 09:00"
	toWords     = "to must be a time of day from 00:00 to 24:00, for example 18:00"
	emptyWords  = "from and to are the same, so the window is empty: for a whole day write from 00:00 to 24:00"
	layerWords  = "name must be lower-case letters, digits and -, for example weekdays"
	memberWords = "member must be a member's name: lower-case letters, digits and -, for example maria"
	localWords  = "name must be that of an object in the same namespace: lower-case letters, digits, - and ., without a slash"
	reasonWords = "reason must be one line, without control or invisible characters"
	untilWords  = "until must be later than from"
)

// overlaid is a map with pairs of keys and values over it. A nil leaves the
// key out.
func overlaid(made map[string]any, pairs ...any) map[string]any {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == nil {
			delete(made, pairs[i].(string))
		} else {
			made[pairs[i].(string)] = pairs[i+1]
		}
	}
	return made
}

// layer is a good one, with pairs of keys and values over it.
func layer(pairs ...any) map[string]any {
	return overlaid(map[string]any{"name": "weekdays", "teamRef": map[string]any{"name": "customer-care"}}, pairs...)
}

// layers gives a rota these.
func layers(all ...map[string]any) edit {
	list := make([]any, 0, len(all))
	for _, each := range all {
		list = append(list, each)
	}
	return set("spec.layers", list)
}

// manyLayers is so many of them, with names of their own.
func manyLayers(size int) edit {
	all := make([]map[string]any, 0, size)
	for i := range size {
		all = append(all, layer("name", fmt.Sprint("layer-", i)))
	}
	return layers(all...)
}

// names are so many different ones, as long as they may be.
func names(size int) []any {
	list := make([]any, 0, size)
	for i := range size {
		list = append(list, fmt.Sprintf("%s-%03d", strings.Repeat("m", 59), i))
	}
	return list
}

// handoff gives a rota one layer with this hand-off.
func handoff(pairs ...any) edit {
	return layers(layer("handoff", overlaid(map[string]any{"start": "2026-11-02T09:00:00", "every": int64(1), "unit": "Week"}, pairs...)))
}

// window is from nine to six, with pairs of keys and values over it.
func window(pairs ...any) map[string]any {
	return overlaid(map[string]any{"from": "09:00", "to": "18:00"}, pairs...)
}

// windows gives a rota one layer with these.
func windows(all ...map[string]any) edit {
	return layers(layer("windows", asList(all...)))
}

func asList(all ...map[string]any) []any {
	list := make([]any, 0, len(all))
	for _, each := range all {
		list = append(list, each)
	}
	return list
}

// copies is a list of so many.
func copies(size int, of map[string]any) []any {
	list := make([]any, 0, size)
	for range size {
		list = append(list, maps.Clone(of))
	}
	return list
}

// away gives a rota one unavailability.
func away(pairs ...any) edit {
	return set("spec.unavailability", []any{absence(pairs...)})
}

func absence(pairs ...any) map[string]any {
	return overlaid(map[string]any{"member": "dana", "from": "2026-12-24T00:00:00Z", "until": "2026-12-27T00:00:00Z"}, pairs...)
}

// specOf is an object's spec in JSON.
func specOf(object *unstructured.Unstructured) string {
	GinkgoHelper()
	content, err := json.Marshal(object.Object["spec"])
	Expect(err).NotTo(HaveOccurred())
	return string(content)
}

var _ = Describe("A ResponderRota", func() {
	DescribeTable("accepts",
		func(ctx SpecContext, edits ...edit) {
			Expect(tryCreate(ctx, manifest(goodRota, edits...))).To(Succeed())
		},
		Entry("the design's"),
		Entry("the least", layers(layer()), unset("spec.unavailability")),
		Entry("UTC", set("spec.timeZone", "UTC")),
		Entry("a zone of three parts", set("spec.timeZone", "America/Argentina/Buenos_Aires")),
		Entry("a zone with a sign", set("spec.timeZone", "Etc/GMT+10")),
		Entry("a zone with a dash", set("spec.timeZone", "America/Port-au-Prince")),
		Entry("a zone that nobody knows, which is for its status to say", set("spec.timeZone", "Europe/Atlantis")),
		Entry("as many layers as there may be", manyLayers(16)),
		Entry("the longest name of a layer", layers(layer("name", strings.Repeat("a", 63)))),
		Entry("as many members as there may be", layers(layer("members", names(100)))),
		Entry("turns of an hour", handoff("every", int64(1), "unit", "Hour")),
		Entry("turns of twelve hours", handoff("every", int64(12), "unit", "Hour")),
		Entry("turns of many years", handoff("every", int64(1000), "unit", "Week")),
		Entry("a start in the far past", handoff("start", "0001-01-01T00:00:00")),
		Entry("a start in the far future", handoff("start", "9999-12-31T23:59:59")),
		Entry("a start on a leap day", handoff("start", "2028-02-29T00:00:00")),
		Entry("a window of every day", windows(window())),
		Entry("a window of a whole day", windows(window("from", "00:00", "to", "24:00"))),
		Entry("a window over midnight", windows(window("days", []any{"Fri"}, "from", "22:00", "to", "06:00"))),
		Entry("a window until midnight", windows(window("from", "23:59", "to", "24:00"))),
		Entry("a window from the last minute to the first", windows(window("from", "23:59", "to", "00:00"))),
		Entry("several windows a day", windows(window("to", "12:00"), window("from", "13:00"))),
		Entry("windows that overlap, which is for its status to say", windows(window(), window())),
		Entry("every day by its name", windows(window("days", []any{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}))),
		Entry("as many windows as there may be", layers(layer("windows", copies(32, window())))),
		Entry("an absence of somebody of one team", away("teamRef", map[string]any{"name": "customer-care"})),
		Entry("an absence of a second", away("from", "2026-12-24T00:00:00Z", "until", "2026-12-24T00:00:01Z")),
		Entry("an absence in two zones", away("from", "2026-12-24T00:00:00+11:00", "until", "2026-12-24T00:00:00+10:30")),
		Entry("an absence since ever and for ever", away("from", "0001-01-01T00:00:00Z", "until", "9999-12-31T23:59:59Z")),
		Entry("as many absences as there may be", set("spec.unavailability", copies(128, absence()))),
	)

	DescribeTable("refuses", Label("S25"),
		func(ctx SpecContext, change edit, words ...string) {
			Expect(tryCreate(ctx, manifest(goodRota, change))).To(refuse(words...))
		},
		Entry("no spec", unset("spec"), "spec: Required value"),
		Entry("no zone", unset("spec.timeZone"), "spec.timeZone: Required value"),
		Entry("no layers", unset("spec.layers"), "spec.layers: Required value"),
		Entry("a list of no layers", layers(), "spec.layers", "should have at least 1 items"),
		Entry("one layer too many", manyLayers(17), "spec.layers: Too many: 17: must have at most 16 items"),
		Entry("a hundred layers", manyLayers(100), "spec.layers: Too many: 100: must have at most 16 items"),
		Entry("two layers of one name", layers(layer(), layer()), `spec.layers[1]: Duplicate value: {"name":"weekdays"}`),
		Entry("a layer without a name", layers(layer("name", nil)), "spec.layers[0].name: Required value"),
		Entry("a layer of no name", layers(layer("name", "")), "spec.layers[0].name", "at least 1 chars long"),
		Entry("a layer of a long name", layers(layer("name", strings.Repeat("a", 64))), "spec.layers[0].name", "may not be more than 63"),
		Entry("a layer in words", layers(layer("name", "On weekdays")), "spec.layers[0].name", layerWords),
		Entry("a layer with a line break behind", layers(layer("name", "weekdays\n")), "spec.layers[0].name", layerWords),
		Entry("a layer called override", layers(layer("name", "override")), "spec.layers[0].name",
			"override is what Rostra calls the answer of a RotaOverride: give the layer another name"),
		Entry("a layer without a team", layers(layer("teamRef", nil)), "spec.layers[0].teamRef: Required value"),
		Entry("a layer with a team of no name", layers(layer("teamRef", map[string]any{})), "spec.layers[0].teamRef.name: Required value"),
		Entry("a layer with a team by a path", layers(layer("teamRef", map[string]any{"name": "../care"})), "spec.layers[0].teamRef.name", "must be a lower-case DNS name"),

		Entry("a list of no members", layers(layer("members", []any{})), "spec.layers[0].members", "should have at least 1 items"),
		Entry("one member too many", layers(layer("members", names(101))), "spec.layers[0].members: Too many: 101: must have at most 100 items"),
		Entry("a member listed twice", layers(layer("members", []any{"maria", "dana", "maria"})), "spec.layers[0].members",
			"a member is listed twice: each takes one turn in a round"),
		Entry("a member of no name", layers(layer("members", []any{""})), "spec.layers[0].members[0]", "at least 1 chars long"),
		Entry("a member of a long name", layers(layer("members", []any{strings.Repeat("a", 64)})), "spec.layers[0].members[0]", "may not be more than 63"),
		Entry("a member in capitals", layers(layer("members", []any{"maria", "Dana"})), "spec.layers[0].members[1]", memberWords),
		Entry("a member with a team", layers(layer("members", []any{"customer-care/maria"})), "spec.layers[0].members[0]", memberWords),
		Entry("a member with an escape sequence", layers(layer("members", []any{"maria\x1b[2J"})), "spec.layers[0].members[0]", memberWords),
		Entry("a member who is a number", layers(layer("members", []any{int64(42)})), "spec.layers[0].members[0]", "must be of type string"),

		Entry("turns of nothing", handoff("every", int64(0)), "spec.layers[0].handoff.every", "should be greater than or equal to 1"),
		Entry("turns of less than nothing", handoff("every", int64(-1)), "spec.layers[0].handoff.every", "should be greater than or equal to 1"),
		Entry("turns that are too long", handoff("every", int64(1001)), "spec.layers[0].handoff.every", "should be less than or equal to 1000"),
		Entry("turns that no machine can count", handoff("every", int64(1)<<40), "spec.layers[0].handoff.every", "should be less than or equal to 1000"),
		Entry("turns of half a week", handoff("every", 0.5), "spec.layers[0].handoff.every", "must be of type integer"),
		Entry("turns without a number", handoff("every", nil), "spec.layers[0].handoff.every: Required value"),
		Entry("turns in months", handoff("unit", "Month"), "spec.layers[0].handoff.unit", `supported values: "Hour", "Day", "Week"`),
		Entry("turns in days, in lower case", handoff("unit", "day"), "spec.layers[0].handoff.unit", `supported values: "Hour", "Day", "Week"`),
		Entry("turns without a unit", handoff("unit", nil), "spec.layers[0].handoff.unit: Required value"),
		Entry("turns without a start", handoff("start", nil), "spec.layers[0].handoff.start: Required value"),

		Entry("a window without a beginning", windows(window("from", nil)), "spec.layers[0].windows[0].from: Required value"),
		Entry("a window without an end", windows(window("to", nil)), "spec.layers[0].windows[0].to: Required value"),
		Entry("a window that is empty", windows(window("to", "09:00")), "spec.layers[0].windows[0].to", emptyWords),
		Entry("a window that is empty at midnight", windows(window("from", "00:00", "to", "00:00")), "spec.layers[0].windows[0].to", emptyWords),
		Entry("a list of no windows", layers(layer("windows", []any{})), "spec.layers[0].windows", "should have at least 1 items"),
		Entry("one window too many", layers(layer("windows", copies(33, window()))), "spec.layers[0].windows: Too many: 33: must have at most 32 items"),
		Entry("a window of no days", windows(window("days", []any{})), "spec.layers[0].windows[0].days", "should have at least 1 items"),
		Entry("a window of an unknown day", windows(window("days", []any{"Mon", "Someday"})), "spec.layers[0].windows[0].days[1]",
			`supported values: "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"`),
		Entry("a window of a day in lower case", windows(window("days", []any{"mon"})), "spec.layers[0].windows[0].days[0]", `supported values: "Mon"`),
		Entry("a window of a day's whole name", windows(window("days", []any{"Monday"})), "spec.layers[0].windows[0].days[0]", `supported values: "Mon"`),
		Entry("a window of a day twice", windows(window("days", []any{"Mon", "Tue", "Mon"})), `spec.layers[0].windows[0].days[2]: Duplicate value: "Mon"`),
		Entry("a window in a week of eight days", windows(window("days", []any{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Mon"})),
			"spec.layers[0].windows[0].days: Too many: 8: must have at most 7 items"),

		Entry("an absence of nobody", away("member", nil), "spec.unavailability[0].member: Required value"),
		Entry("an absence of somebody with an address", away("member", "dana@acme.example"), "spec.unavailability[0].member", memberWords),
		Entry("an absence of somebody with a long name", away("member", strings.Repeat("a", 64)), "spec.unavailability[0].member", "may not be more than 63"),
		Entry("an absence without a beginning", away("from", nil), "spec.unavailability[0].from: Required value"),
		Entry("an absence without an end", away("until", nil), "spec.unavailability[0].until: Required value"),
		Entry("an absence that ends before it begins", away("until", "2026-12-23T00:00:00Z"), "spec.unavailability[0].until", untilWords),
		Entry("an absence of no time", away("until", "2026-12-24T01:00:00+01:00"), "spec.unavailability[0].until", untilWords),
		Entry("an absence with a team of no name", away("teamRef", map[string]any{}), "spec.unavailability[0].teamRef.name: Required value"),
		Entry("a list of no absences", set("spec.unavailability", []any{}), "spec.unavailability", "should have at least 1 items"),
		Entry("one absence too many", set("spec.unavailability", copies(129, absence())), "spec.unavailability: Too many: 129: must have at most 128 items"),
	)

	DescribeTable("refuses a zone", Label("S25"),
		func(ctx SpecContext, zone any, words string) {
			Expect(tryCreate(ctx, manifest(goodRota, set("spec.timeZone", zone)))).To(refuse("spec.timeZone", words))
		},
		Entry("of nothing", "", "at least 1 chars long"),
		Entry("of wherever the server is", "Local", zoneWords),
		Entry("with a space", "Europe/New London", zoneWords),
		Entry("with a space behind", "Europe/London ", zoneWords),
		Entry("with a line break behind", "Europe/London\n", zoneWords),
		Entry("with a NUL", "Europe/London\x00", zoneWords),
		Entry("that is a path", "../../../etc/passwd", zoneWords),
		Entry("that is a path in the middle", "Europe/../../etc/passwd", zoneWords),
		Entry("that is a path with a single dot", "Europe/./London", zoneWords),
		Entry("that begins at the root", "/etc/localtime", zoneWords),
		Entry("that ends with a slash", "Europe/", zoneWords),
		Entry("with two slashes", "Europe//London", zoneWords),
		Entry("with backslashes", `Europe\London`, zoneWords),
		Entry("that is an offset", "+01:00", zoneWords),
		Entry("in other letters", "Европа/Лондон", zoneWords),
		Entry("that is too long", "Europe/"+strings.Repeat("a", 64), "may not be more than 64"),
		Entry("that is a number", int64(1), "must be of type string"),
	)

	DescribeTable("refuses a start", Label("S25"),
		func(ctx SpecContext, start any, words string) {
			Expect(tryCreate(ctx, manifest(goodRota, handoff("start", start)))).To(refuse("spec.layers[0].handoff.start", words))
		},
		Entry("of nothing", "", "at least 1 chars long"),
		Entry("without seconds", "2026-11-02T09:00", startWords),
		Entry("without a time", "2026-11-02", startWords),
		Entry("in UTC", "2026-11-02T09:00:00Z", startWords),
		Entry("with a zone", "2026-11-02T09:00:00+01:00", startWords),
		Entry("with fractions", "2026-11-02T09:00:00.5", startWords),
		Entry("with a space for the T", "2026-11-02 09:00:00", startWords),
		Entry("with a t in lower case", "2026-11-02t09:00:00", startWords),
		Entry("with a line break behind", "2026-11-02T09:00:00\n", startWords),
		Entry("in a month of no year", "2026-13-02T09:00:00", startWords),
		Entry("in a month of nought", "2026-00-02T09:00:00", startWords),
		Entry("on a day of no month", "2026-11-32T09:00:00", startWords),
		Entry("on a day of nought", "2026-11-00T09:00:00", startWords),
		Entry("at an hour of no day", "2026-11-02T24:00:00", startWords),
		Entry("at a minute of no hour", "2026-11-02T09:60:00", startWords),
		Entry("at a second of no minute", "2026-11-02T09:00:60", startWords),
		Entry("in a year of five digits", "10000-01-01T00:00:00", startWords),
		Entry("before all years", "-001-01-01T00:00:00", startWords),
		Entry("in another order", "02-11-2026T09:00:00", startWords),
		Entry("in words", "next Monday at nine", startWords),
		Entry("that is too long", strings.Repeat("2", 65), "may not be more than 64"),
		Entry("that is a number", int64(1798675200), "must be of type string"),
	)

	DescribeTable("refuses a time of day", Label("S25"),
		func(ctx SpecContext, value any, from, to string) {
			if from != "" {
				Expect(tryCreate(ctx, manifest(goodRota, windows(window("from", value))))).To(refuse("spec.layers[0].windows[0].from", from))
			}
			Expect(tryCreate(ctx, manifest(goodRota, windows(window("to", value))))).To(refuse("spec.layers[0].windows[0].to", to))
		},
		Entry("of nothing", "", "at least 1 chars long", "at least 1 chars long"),
		Entry("of an hour that does not come", "25:00", fromWords, toWords),
		Entry("after the end of the day", "24:01", fromWords, toWords),
		Entry("of a minute that does not come", "09:60", fromWords, toWords),
		Entry("of one digit", "9:00", fromWords, toWords),
		Entry("without minutes", "09", fromWords, toWords),
		Entry("with seconds", "09:00:00", fromWords, toWords),
		Entry("with a dot", "09.00", fromWords, toWords),
		Entry("by another clock", "9:00 am", fromWords, toWords),
		Entry("before the day", "-1:00", fromWords, toWords),
		Entry("with a line break behind", "09:00\n", fromWords, toWords),
		Entry("in wide digits", "０９:００", fromWords, toWords),
		Entry("that is too long", strings.Repeat("0", 17), "may not be more than 16", "may not be more than 16"),
		Entry("that is a number", int64(540), "must be of type string", "must be of type string"),
	)

	It("refuses the end of the day as a beginning", Label("S25"), func(ctx SpecContext) {
		Expect(tryCreate(ctx, manifest(goodRota, windows(window("from", "24:00", "to", "06:00"))))).To(refuse("spec.layers[0].windows[0].from", fromWords))
	})

	It("is accepted in its full size, and changed in it", func(ctx SpecContext) {
		week := window("days", []any{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"})
		all := make([]map[string]any, 0, 16)
		for i := range 16 {
			all = append(all, layer("name", fmt.Sprintf("%s-%02d", strings.Repeat("l", 60), i), "members", names(100), "windows", copies(32, week),
				"teamRef", map[string]any{"name": strings.Repeat("t", 253)},
				"handoff", map[string]any{"start": "2026-11-02T09:00:00", "every": int64(1000), "unit": "Week"}))
		}
		gone := absence("member", strings.Repeat("m", 63), "teamRef", map[string]any{"name": strings.Repeat("t", 253)})
		rota := manifest(goodRota, set("spec.timeZone", strings.Repeat("Z", 64)), layers(all...), set("spec.unavailability", copies(128, gone)))
		created(ctx, rota)
		Expect(tryUpdate(ctx, rota, set("spec.timeZone", "UTC"))).To(Succeed())
		Expect(tryUpdate(ctx, rota, manyLayers(16))).To(Succeed())
	})

	It("is kept as it is written: nothing is filled in", func(ctx SpecContext) {
		for _, edits := range [][]edit{nil, {layers(layer()), unset("spec.unavailability")}} {
			rota := manifest(goodRota, edits...)
			want := specOf(rota)
			Expect(tryCreate(ctx, rota)).To(Succeed())
			Expect(specOf(rota)).To(MatchJSON(want))
			Expect(rota.Object).NotTo(HaveKey("status"))
		}
	})

	DescribeTable("holds no field that does not exist", Label("S25"),
		func(ctx SpecContext, path string, good, bad edit) {
			object := manifest(goodRota, bad)
			err := kube.Create(ctx, object.DeepCopy(), client.DryRunAll)
			Expect(err).To(MatchError(apierrors.IsBadRequest, "is an answer of 400"))
			Expect(err).To(MatchError(ContainSubstring(`unknown field "` + path + `"`)))
			Expect(lenient.Create(ctx, object, client.DryRunAll)).To(Succeed())
			Expect(specOf(object)).To(MatchJSON(specOf(manifest(goodRota, good))), "what is let in by a lenient client is left out")
		},
		Entry("a layer's weight", "spec.layers[0].weight", layers(layer()), layers(layer("weight", int64(1)))),
		Entry("a team's namespace", "spec.layers[0].teamRef.namespace", layers(layer()),
			layers(layer("teamRef", map[string]any{"name": "customer-care", "namespace": "other"}))),
		Entry("a hand-off's zone", "spec.layers[0].handoff.timeZone", handoff(), handoff("timeZone", "UTC")),
		Entry("a window's until", "spec.layers[0].windows[0].until", windows(window()), windows(window("until", "20:00"))),
		Entry("an absence's reason", "spec.unavailability[0].reason", away(), away("reason", "on leave")),
	)

	It("changes in everything", func(ctx SpecContext) {
		rota := manifest(goodRota)
		created(ctx, rota)
		Expect(tryUpdate(ctx, rota, set("spec.timeZone", "Pacific/Apia"), handoff("unit", "Hour"), unset("spec.unavailability"))).To(Succeed())
		Expect(tryUpdate(ctx, rota, layers(layer("name", "weekends"), layer()))).To(Succeed())
		Expect(tryUpdate(ctx, rota, handoff("every", int64(0)))).To(refuse("should be greater than or equal to 1"))
	})

	It("is written and read by the typed client", func(ctx SpecContext) {
		spec := v1alpha1.ResponderRotaSpec{
			TimeZone: "Europe/London",
			Layers: []v1alpha1.RotaLayer{{
				Name: "weekdays", TeamRef: v1alpha1.ClusterReference{Name: "customer-care"}, Members: []string{"maria", "dana"},
				Handoff: &v1alpha1.Handoff{Start: "2026-11-02T09:00:00", Every: 1, Unit: v1alpha1.HandoffWeek},
				Windows: []v1alpha1.WeeklyWindow{{Days: []v1alpha1.Weekday{v1alpha1.Monday}, From: "09:00", To: "18:00"}},
			}},
		}
		rota := &v1alpha1.ResponderRota{ObjectMeta: metav1.ObjectMeta{Namespace: "social", Name: "typed"}, Spec: *spec.DeepCopy()}
		Expect(tryCreate(ctx, rota)).To(Succeed())
		Expect(rota.Spec).To(Equal(spec))
		rota.ResourceVersion = ""
		rota.Spec.Layers[0].Handoff.Every = 0
		Expect(tryCreate(ctx, rota)).To(refuse("spec.layers[0].handoff.every: Required value"))
	})
})

var _ = Describe("A RotaOverride", func() {
	DescribeTable("accepts",
		func(ctx SpecContext, edits ...edit) {
			Expect(tryCreate(ctx, manifest(goodOverride, edits...))).To(Succeed())
		},
		Entry("the design's"),
		Entry("the least", unset("spec.reason")),
		Entry("one that is over", set("spec.from", "2020-01-01T00:00:00Z"), set("spec.until", "2020-01-02T00:00:00Z")),
		Entry("one of a second", set("spec.until", "2026-11-27T18:00:01Z")),
		Entry("one since the first second and until the last", set("spec.from", "0001-01-01T00:00:00Z"), set("spec.until", "9999-12-31T23:59:59Z")),
		Entry("times in other zones", set("spec.from", "2026-11-27T18:00:00+11:00"), set("spec.until", "2026-11-27T18:00:00+10:30")),
		Entry("times with fractions", set("spec.until", "2026-11-28T09:00:00.123456789Z")),
		Entry("a reason in another script", set("spec.reason", "Dienst getauscht – Grüße ✈")),
		Entry("a reason that needs joiners to be read", set("spec.reason", "می\u200cروم 👩\u200d💻")),
		Entry("the longest reason", set("spec.reason", strings.Repeat("é", 256))),
		Entry("the longest names", set("spec.responderRotaRef.name", strings.Repeat("a", 253)), set("spec.member", strings.Repeat("a", 63))),
	)

	DescribeTable("refuses", Label("S25"),
		func(ctx SpecContext, change edit, words ...string) {
			Expect(tryCreate(ctx, manifest(goodOverride, change))).To(refuse(words...))
		},
		Entry("no spec", unset("spec"), "spec: Required value"),
		Entry("no rota", unset("spec.responderRotaRef"), "spec.responderRotaRef: Required value"),
		Entry("a rota of no name", set("spec.responderRotaRef", map[string]any{}), "spec.responderRotaRef.name: Required value"),
		Entry("a rota in another namespace", set("spec.responderRotaRef.name", "other/care"), "spec.responderRotaRef.name", localWords),
		Entry("a rota by a path", set("spec.responderRotaRef.name", "../other/care"), "spec.responderRotaRef.name", localWords),
		Entry("a rota of a long name", set("spec.responderRotaRef.name", strings.Repeat("a", 254)), "spec.responderRotaRef.name", "may not be more than 253"),
		Entry("no team", unset("spec.teamRef"), "spec.teamRef: Required value"),
		Entry("a team that cannot exist", set("spec.teamRef.name", "Customer Care"), "spec.teamRef.name", "must be a lower-case DNS name"),
		Entry("no member", unset("spec.member"), "spec.member: Required value"),
		Entry("a member of no name", set("spec.member", ""), "spec.member", "at least 1 chars long"),
		Entry("a member in capitals", set("spec.member", "Dana"), "spec.member", memberWords),
		Entry("a member with a team", set("spec.member", "customer-care/dana"), "spec.member", memberWords),
		Entry("a member of a long name", set("spec.member", strings.Repeat("a", 64)), "spec.member", "may not be more than 63"),
		Entry("no beginning", unset("spec.from"), "spec.from: Required value"),
		Entry("no end", unset("spec.until"), "spec.until: Required value"),
		Entry("an end before the beginning", set("spec.until", "2026-11-26T18:00:00Z"), "spec.until", untilWords),
		Entry("an end at the beginning", set("spec.until", "2026-11-27T19:00:00+01:00"), "spec.until", untilWords),
		Entry("a reason of nothing", set("spec.reason", ""), "spec.reason", "at least 1 chars long"),
		Entry("a reason that is too long", set("spec.reason", strings.Repeat("a", 257)), "spec.reason", "may not be more than 256"),
		Entry("a reason that is a list", set("spec.reason", []any{"swap"}), "spec.reason", "must be of type string"),
	)

	DescribeTable("refuses a reason", Label("S25"),
		func(ctx SpecContext, reason string) {
			Expect(tryCreate(ctx, manifest(goodOverride, set("spec.reason", reason)))).To(refuse("spec.reason", reasonWords))
		},
		Entry("with a line break", "swap\nREADY True"),
		Entry("with a line break behind", "swap\n"),
		Entry("with a tab", "swap\twith maria"),
		Entry("with a NUL", "swap\x00"),
		Entry("with an escape sequence", "swap\x1b[2J"),
		Entry("with a control character beyond ASCII", "swap\u009b2J"),
		Entry("with a line separator", "swap\u2028with maria"),
		Entry("with a paragraph separator", "swap\u2029with maria"),
		Entry("written from right to left", "swap\u202ewith maria"),
		Entry("in an isolate", "swap \u2066maria\u2069"),
		Entry("with a zero-width space", "swap\u200bwith maria"),
		Entry("with a tag character", "swap\U000e0041"),
	)

	Describe("with times", Label("S25"), func() {
		// What the schema's format lets pass and Go does not read would stop the operator from seeing any object of the kind.
		DescribeTable("refuses what Go does not read, or cannot write again",
			func(ctx SpecContext, value string) {
				for _, field := range []string{"from", "until"} {
					words := field + " must be a time with its zone such as 2026-11-28T09:00:00Z, from year 1 to 9999"
					for path, object := range map[string]*unstructured.Unstructured{
						"spec." + field:                   manifest(goodOverride, set("spec."+field, value)),
						"spec.unavailability[0]." + field: manifest(goodRota, away(field, value)),
					} {
						err := tryCreate(ctx, object)
						Expect(err).To(MatchError(apierrors.IsInvalid, "is an answer of 422"), path)
						Expect(err).To(MatchError(ContainSubstring(path)))
						Expect(err).To(MatchError(ContainSubstring(words)), path)
					}
				}
			},
			Entry("with a t and a z in lower case", "2026-11-28t00:00:00z"),
			Entry("with a letter for the point", "2026-11-28T00:00:00x5Z"),
			Entry("with an offset of no zone", "2026-11-28T00:00:00+99:99"),
			Entry("with more behind", "2026-11-28T00:00:00ZTHEN"),
			Entry("with a line break and more behind", "2026-11-28T00:00:00ZT\nready: true"),
			Entry("in the year nought", "0000-12-31T23:59:59Z"),
			Entry("before year 1 in UTC", "0001-01-01T00:00:00+01:00"),
			Entry("after year 9999 in UTC", "9999-12-31T23:59:59-01:00"),
		)

		DescribeTable("refuses what is no time",
			func(ctx SpecContext, value any, words string) {
				for _, field := range []string{"from", "until"} {
					Expect(tryCreate(ctx, manifest(goodOverride, set("spec."+field, value)))).To(refuse("spec."+field, words))
					Expect(tryCreate(ctx, manifest(goodRota, away(field, value)))).To(refuse("spec.unavailability[0]."+field, words))
				}
			},
			Entry("a day without a time", "2026-11-28", "must be of type date-time"),
			Entry("a time without a zone", "2026-11-28T00:00:00", "must be of type date-time"),
			Entry("a time without seconds", "2026-11-28T00:00Z", "must be of type date-time"),
			Entry("a day that does not come", "2026-02-30T00:00:00Z", "must be of type date-time"),
			Entry("a month that does not come", "2026-13-01T00:00:00Z", "must be of type date-time"),
			Entry("an hour that does not come", "2026-11-28T24:00:00Z", "must be of type date-time"),
			Entry("a leap second", "2016-12-31T23:59:60Z", "must be of type date-time"),
			Entry("words", "tomorrow", "must be of type date-time"),
			Entry("nothing", "", "must be of type date-time"),
			Entry("a number", int64(1798675200), "must be of type date-time"),
			Entry("very many characters", "2026-11-28T00:00:00ZT"+strings.Repeat("a", 1<<16), "may not be more than 64"),
		)

		It("accepts whatever the operator can take in and give back", func(ctx SpecContext) {
			override := manifest(goodOverride, set("spec.from", "0001-01-01T00:00:00Z"), set("spec.until", "9999-12-31T23:59:59.999Z"))
			Expect(tryCreate(ctx, override)).To(refuse("spec.until"))
			set("spec.until", "9999-12-31T23:59:59Z")(override.Object)
			created(ctx, override)
			typed := &v1alpha1.RotaOverride{}
			Expect(kube.Get(ctx, client.ObjectKeyFromObject(override), typed)).To(Succeed())
			Expect(typed.Spec.From.Time).To(BeTemporally("==", time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)))
			Expect(typed.Spec.Until.Time).To(BeTemporally("==", time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)))
			typed.Status.ObservedGeneration = 1
			Expect(kube.Status().Update(ctx, typed)).To(Succeed(), "the operator says so in its status")
			kept := manifest(goodOverride)
			Expect(kube.Get(ctx, client.ObjectKeyFromObject(override), kept)).To(Succeed())
			Expect(kept.Object).To(HaveKeyWithValue("spec", HaveKeyWithValue("from", "0001-01-01T00:00:00Z")))
		})
	})

	It("is kept as it is written: nothing is filled in", func(ctx SpecContext) {
		override := manifest(goodOverride)
		want := specOf(override)
		Expect(tryCreate(ctx, override)).To(Succeed())
		Expect(specOf(override)).To(MatchJSON(want))
		Expect(override.Object).NotTo(HaveKey("status"))
	})

	It("changes in everything", func(ctx SpecContext) {
		override := manifest(goodOverride)
		created(ctx, override)
		Expect(tryUpdate(ctx, override, set("spec.responderRotaRef.name", "press"), set("spec.member", "maria"), set("spec.until", "2026-11-29T09:00:00Z"))).To(Succeed())
		Expect(tryUpdate(ctx, override, set("spec.until", "2026-11-27T18:00:00Z"))).To(refuse(untilWords))
	})

	It("is written and read by the typed client", func(ctx SpecContext) {
		spec := v1alpha1.RotaOverrideSpec{
			ResponderRotaRef: v1alpha1.LocalReference{Name: "care"}, TeamRef: v1alpha1.ClusterReference{Name: "customer-care"}, Member: "dana",
			From: metav1.Date(2026, 11, 27, 18, 0, 0, 0, time.UTC), Until: metav1.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC), Reason: "swap with maria",
		}
		override := &v1alpha1.RotaOverride{ObjectMeta: metav1.ObjectMeta{Namespace: "social", Name: "typed"}, Spec: spec}
		Expect(tryCreate(ctx, override)).To(Succeed())
		Expect(override.Spec.From.Equal(&spec.From)).To(BeTrue())
		Expect(override.Spec.Until.Equal(&spec.Until)).To(BeTrue())
		Expect(override.Spec.Member).To(Equal("dana"))
		override.ResourceVersion = ""
		override.Spec.From = metav1.Time{}
		Expect(tryCreate(ctx, override)).To(refuse("spec.from: Required value"))
	})
})

var _ = Describe("What a SocialChannel promises", func() {
	const modeWords = "windows belong to the mode Windows, and it needs at least one: [{days: [Mon, Tue, Wed, Thu, Fri], from: 09:00, to: 18:00}]"
	coverage := func(mode string, pairs ...any) edit {
		return set("spec.coverage", overlaid(map[string]any{"mode": mode}, pairs...))
	}

	DescribeTable("is accepted:",
		func(ctx SpecContext, edits ...edit) {
			channel := manifest(goodChannel, edits...)
			want := channel.DeepCopy().Object["spec"].(map[string]any)
			Expect(tryCreate(ctx, channel)).To(Succeed())
			for _, field := range []string{"coverage", "responderRotaRef"} {
				if value, given := want[field]; given {
					Expect(channel.Object).To(HaveKeyWithValue("spec", HaveKeyWithValue(field, BeComparableTo(value))), "nothing is filled in")
				} else {
					Expect(channel.Object).To(HaveKeyWithValue("spec", Not(HaveKey(field))), "there is no default")
				}
			}
		},
		Entry("nothing"),
		Entry("every hour", coverage("Always"), set("spec.responderRotaRef.name", "care")),
		Entry("every hour, without a rota", coverage("Always")),
		Entry("a rota, without a promise", set("spec.responderRotaRef.name", "care")),
		Entry("no hour, in so many words", coverage("None")),
		Entry("office hours", coverage("Windows", "windows", asList(window("days", []any{"Mon", "Tue", "Wed", "Thu", "Fri"})))),
		Entry("office hours of another place", coverage("Windows", "timeZone", "Australia/Lord_Howe", "windows", asList(window()))),
		Entry("as many windows as there may be", coverage("Windows", "timeZone", strings.Repeat("Z", 64),
			"windows", copies(32, window("days", []any{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"})))),
		Entry("a rota of the longest name", set("spec.responderRotaRef.name", strings.Repeat("a", 253))),
	)

	DescribeTable("is refused:", Label("S25"),
		func(ctx SpecContext, change edit, words ...string) {
			Expect(tryCreate(ctx, manifest(goodChannel, change))).To(refuse(words...))
		},
		Entry("no mode", set("spec.coverage", map[string]any{}), "spec.coverage.mode: Required value"),
		Entry("an unknown mode", coverage("Sometimes"), "spec.coverage.mode", `supported values: "Always", "Windows", "None"`),
		Entry("a mode in lower case", coverage("always"), "spec.coverage.mode", `supported values: "Always", "Windows", "None"`),
		Entry("windows without any", coverage("Windows"), "spec.coverage.windows", modeWords),
		Entry("a list of no windows", coverage("Windows", "windows", []any{}), "spec.coverage.windows", "should have at least 1 items"),
		Entry("every hour, with windows", coverage("Always", "windows", asList(window())), "spec.coverage.windows", modeWords),
		Entry("no hour, with windows", coverage("None", "windows", asList(window())), "spec.coverage.windows", modeWords),
		Entry("an empty window", coverage("Windows", "windows", asList(window("to", "09:00"))), "spec.coverage.windows[0].to", emptyWords),
		Entry("a window with a bad beginning", coverage("Windows", "windows", asList(window("from", "24:00"))), "spec.coverage.windows[0].from", fromWords),
		Entry("a window with a bad end", coverage("Windows", "windows", asList(window("to", "25:00"))), "spec.coverage.windows[0].to", toWords),
		Entry("a window of a day twice", coverage("Windows", "windows", asList(window("days", []any{"Sun", "Sun"}))),
			`spec.coverage.windows[0].days[1]: Duplicate value: "Sun"`),
		Entry("a window of an unknown day", coverage("Windows", "windows", asList(window("days", []any{"Bank holiday"}))),
			"spec.coverage.windows[0].days[0]", `supported values: "Mon"`),
		Entry("one window too many", coverage("Windows", "windows", copies(33, window())), "spec.coverage.windows: Too many: 33: must have at most 32 items"),
		Entry("wherever the server is", coverage("Always", "timeZone", "Local"), "spec.coverage.timeZone", zoneWords),
		Entry("a zone with a space", coverage("Always", "timeZone", "Europe/New London"), "spec.coverage.timeZone", zoneWords),
		Entry("a zone that is a path", coverage("Always", "timeZone", "../../etc/passwd"), "spec.coverage.timeZone", zoneWords),
		Entry("a zone that is too long", coverage("Always", "timeZone", strings.Repeat("Z", 65)), "spec.coverage.timeZone", "may not be more than 64"),
		Entry("a rota of no name", set("spec.responderRotaRef", map[string]any{}), "spec.responderRotaRef.name: Required value"),
		Entry("a rota of an empty name", set("spec.responderRotaRef.name", ""), "spec.responderRotaRef.name", "at least 1 chars long"),
		Entry("a rota in another namespace", set("spec.responderRotaRef.name", "other/care"), "spec.responderRotaRef.name", localWords),
		Entry("a rota by a path", set("spec.responderRotaRef.name", "../other/care"), "spec.responderRotaRef.name", localWords),
		Entry("a rota of a long name", set("spec.responderRotaRef.name", strings.Repeat("a", 254)), "spec.responderRotaRef.name", "may not be more than 253"),
	)

	It("changes at any time", func(ctx SpecContext) {
		channel := manifest(goodChannel, set("metadata.name", "promises"), coverage("Always"), set("spec.responderRotaRef.name", "care"))
		created(ctx, channel)
		Expect(tryUpdate(ctx, channel, coverage("Windows", "windows", asList(window())))).To(Succeed())
		Expect(tryUpdate(ctx, channel, unset("spec.coverage"), unset("spec.responderRotaRef"))).To(Succeed())
	})
})

var _ = Describe("How a member is told", func() {
	way := func(pairs ...any) map[string]any {
		return map[string]any{"secretRef": overlaid(map[string]any{"name": "maria-pager", "key": "url"}, pairs...)}
	}
	told := func(ways ...any) edit { return members(person("maria", "notify", append([]any{}, ways...))) }

	DescribeTable("is accepted:",
		func(ctx SpecContext, ways ...any) {
			Expect(tryCreate(ctx, manifest(goodTeam, told(ways...)))).To(Succeed())
		},
		Entry("in one way", way()),
		Entry("in several", way(), way("key", "sms"), way("name", "maria.phone")),
		Entry("in as many as there may be", copies(8, way())...),
		Entry("by any key that a Secret can have", way("key", "URL_2.txt-old")),
	)

	DescribeTable("is refused:", Label("S25"),
		func(ctx SpecContext, change edit, words ...string) {
			Expect(tryCreate(ctx, manifest(goodTeam, change))).To(refuse(words...))
		},
		Entry("a list of no ways", told(), "spec.members[0].notify", "should have at least 1 items"),
		Entry("one way too many", told(copies(9, way())...), "spec.members[0].notify: Too many: 9: must have at most 8 items"),
		Entry("a way that leads nowhere", told(map[string]any{}), "spec.members[0].notify[0].secretRef: Required value"),
		Entry("a Secret of no name", told(way("name", nil)), "spec.members[0].notify[0].secretRef.name: Required value"),
		Entry("a Secret in another namespace", told(way("name", "other/pager")), "spec.members[0].notify[0].secretRef.name", "without a slash"),
		Entry("a Secret of a long name", told(way("name", strings.Repeat("a", 254))), "spec.members[0].notify[0].secretRef.name", "may not be more than 253"),
		Entry("no key", told(way("key", nil)), "spec.members[0].notify[0].secretRef.key: Required value"),
		Entry("a key with a slash", told(way("key", "../url")), "spec.members[0].notify[0].secretRef.key", "key must be a key of a Secret: letters, digits, - _ and ."),
		Entry("a key with a line break", told(way("key", "url\n")), "spec.members[0].notify[0].secretRef.key", "key must be a key of a Secret"),
		Entry("a long key", told(way("key", strings.Repeat("a", 254))), "spec.members[0].notify[0].secretRef.key", "may not be more than 253"),
	)

	It("is accepted for the largest team, and changed in it", func(ctx SpecContext) {
		ways := copies(8, way("name", strings.Repeat("s", 253), "key", strings.Repeat("k", 253)))
		crew := []map[string]any{person("maria", "notify", ways)}
		for i := range 99 {
			name := fmt.Sprintf("%s-%03d", strings.Repeat("m", 59), i)
			crew = append(crew, person(name, "email", strings.Repeat("é", 100)+"@acme.example", "notify", ways,
				"from", "2026-01-05T00:00:00Z", "until", "2026-12-31T00:00:00Z"))
		}
		team := manifest(goodTeam, members(crew...))
		created(ctx, team)
		Expect(tryUpdate(ctx, team, set("spec.displayName", "Customer Care"))).To(Succeed())
		Expect(tryUpdate(ctx, team, crowd(100))).To(Succeed())
	})
})

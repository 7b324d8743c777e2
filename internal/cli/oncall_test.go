// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/cli"
)

// segment is a line of the JSON output.
type segment struct{ From, Until, Member, Team, Layer string }

func segments(text string) []segment {
	GinkgoHelper()
	var list []segment
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	Expect(decoder.Decode(&list)).To(Succeed())
	return list
}

var _ = Describe("Who is on duty", func() {
	It("is a table, with gaps and with who is on duty now", func() {
		r := rostraAt(time.Date(2026, 11, 24, 12, 30, 15, 5, time.UTC), "", "oncall", "-f", folder(teams, careRota, swap), "care", "--for", "1d")
		Expect(r).To(Equal(result{stdout: `FROM                          UNTIL                         MEMBER   TEAM               LAYER
Tue 2026-11-24 12:30:15 GMT   Tue 2026-11-24 20:00 GMT      otto     public-relations   override   <- now
Tue 2026-11-24 20:00 GMT      Wed 2026-11-25 09:00 GMT      nobody   -                  -
Wed 2026-11-25 09:00 GMT      Wed 2026-11-25 12:30:15 GMT   dana     customer-care      weekdays
`}))
	})

	It("is JSON that tiles the interval, in the rota's zone, with nobody as an empty member", func() {
		sydney := strings.NewReplacer("Europe/London", "Australia/Sydney").Replace(careRota)
		out := succeed("oncall", "-f", folder(teams, sydney), "social/care", "--from", "2026-11-27T08:00", "--for", "12h", "-o", "json")
		Expect(segments(out)).To(Equal([]segment{
			{"2026-11-27T08:00:00+11:00", "2026-11-27T09:00:00+11:00", "", "", ""},
			{"2026-11-27T09:00:00+11:00", "2026-11-27T18:00:00+11:00", "dana", "customer-care", "weekdays"},
			{"2026-11-27T18:00:00+11:00", "2026-11-27T20:00:00+11:00", "", "", ""},
		}))
		Expect(out).To(ContainSubstring(`"member": ""`), "it is there, and empty")
	})

	It("looks seven days ahead by itself", func() {
		list := segments(succeed("oncall", "-f", folder(teams, careRota), "care", "-o", "json"))
		Expect(list[0].From).To(Equal("2026-11-22T12:00:00Z"))
		Expect(list[len(list)-1].Until).To(Equal("2026-11-29T12:00:00Z"))
	})

	It("at a time is the whole duty around it", func() {
		root := folder(teams, careRota, swap)
		Expect(segments(succeed("oncall", "-f", root, "care", "--at", "2026-11-23T13:00:00+01:00", "-o", "json"))).To(Equal([]segment{
			{"2026-11-23T09:00:00Z", "2026-11-23T18:00:00Z", "dana", "customer-care", "weekdays"},
		}))
		Expect(segments(succeed("oncall", "-f", root, "care", "--at", "now", "-o", "json"))).To(Equal([]segment{
			{"2026-11-20T18:00:00Z", "2026-11-23T09:00:00Z", "", "", ""},
		}))
		Expect(succeed("oncall", "-f", root, "care", "--at", "2026-11-24T12:00")).To(ContainSubstring(
			"Tue 2026-11-24 12:00 GMT   Tue 2026-11-24 20:00 GMT   otto     public-relations   override\n"))
	})

	It("leaves out a bound that is not within a year", func() {
		always := strings.NewReplacer(`members: [maria, dana]`, "members: [maria]", `    handoff: {start: "2026-11-02T09:00:00", every: 1, unit: Week}`+"\n", "",
			`    windows: [{days: [Mon, Tue, Wed, Thu, Fri], from: "09:00", to: "18:00"}]`+"\n", "").Replace(careRota)
		root := folder(teams, always)
		Expect(succeed("oncall", "-f", root, "care", "--at", "now", "-o", "json")).To(Equal(
			"[\n  {\n    \"member\": \"maria\",\n    \"team\": \"customer-care\",\n    \"layer\": \"weekdays\"\n  }\n]\n"))
		Expect(succeed("oncall", "-f", root, "care", "--at", "now")).To(ContainSubstring("over a year ago   not within a year   maria    customer-care   weekdays   <- now\n"))
		Expect(succeed("oncall", "-f", root, "care", "-o", "ics")).To(ContainSubstring("DTSTART;TZID=Europe/London:20261122T120000\r\nDTEND;TZID=Europe/London:20261129T120000"))
	})

	It("comes from standard input too", func() {
		r := rostraAt(noon, teams+"---\n"+careRota, "oncall", "-f", "-", "care", "--at", "2026-11-23T10:00", "-o", "json")
		Expect(r.stderr).To(BeEmpty())
		Expect(segments(r.stdout)[0].Member).To(Equal("dana"))
	})

	DescribeTable("is read at times by the clock on the wall, also where it changes",
		func(at, expected string) {
			list := segments(succeed("oncall", "-f", folder(teams, careRota), "care", "--from", at, "--for", "1s", "-o", "json"))
			Expect(list).To(HaveLen(1))
			Expect(list[0].From).To(Equal(expected))
		},
		Entry("in summer", "2026-07-01T18:00", "2026-07-01T18:00:00+01:00"),
		Entry("a date", "2026-07-01", "2026-07-01T00:00:00+01:00"),
		Entry("with seconds", "2026-07-01T18:00:59", "2026-07-01T18:00:59+01:00"),
		Entry("with a blank", "2026-07-01 18:00", "2026-07-01T18:00:00+01:00"),
		Entry("with a zone", "2026-07-01T18:00:00-05:00", "2026-07-02T00:00:00+01:00"),
		Entry("with a fraction", "2026-07-01T18:00:00.9Z", "2026-07-01T19:00:00+01:00"),
		Entry("an hour that comes twice, the first time", "2026-10-25T01:30", "2026-10-25T01:30:00+01:00"),
		Entry("after it", "2026-10-25T02:00", "2026-10-25T02:00:00Z"),
		Entry("an hour that does not come", "2026-03-29T01:30", "2026-03-29T02:00:00+01:00"),
		Entry("before it", "2026-03-29T00:59", "2026-03-29T00:59:00Z"),
	)

	DescribeTable("is asked for a length of time in days and weeks too",
		func(length, until string) {
			list := segments(succeed("oncall", "-f", folder(teams, careRota), "care", "--from", "2026-11-01T00:00:00Z", "--for", length, "-o", "json"))
			Expect(list[len(list)-1].Until).To(Equal(until))
		},
		Entry("days", "2d", "2026-11-03T00:00:00Z"),
		Entry("weeks", "2w", "2026-11-15T00:00:00Z"),
		Entry("mixed", "1w1d1h1m1s", "2026-11-09T01:01:01Z"),
		Entry("half", "0.5d", "2026-11-01T12:00:00Z"),
		Entry("as Go writes it", "90m", "2026-11-01T01:30:00Z"),
		Entry("the longest", "366d", "2027-11-02T00:00:00Z"),
	)
})

var _ = Describe("A rota that is not found", func() {
	It("is not the one of another namespace", func() {
		root := folder(teams, careRota, inNamespace(careRota, "press"))
		Expect(rostra("oncall", "-f", root, "care")).To(Equal(result{
			code:   cli.ExitFailure,
			stderr: "rostra: ResponderRota care is in several namespaces: name one of press/care, social/care\n",
		}))
		Expect(succeed("oncall", "-f", root, "care", "-n", "press")).To(ContainSubstring("dana"))
		Expect(succeed("oncall", "-f", root, "press/care")).To(ContainSubstring("dana"))
		Expect(rostra("oncall", "-f", root, "other/care").stderr).To(Equal(
			"rostra: there is no ResponderRota other/care in the manifests; there is press/care, social/care\n"))
	})

	It("is told with what there is", func() {
		Expect(rostra("oncall", "-f", folder(teams), "care").stderr).To(ContainSubstring("the manifests declare none at all"))
		var many []string
		for i := range 13 {
			many = append(many, strings.Replace(careRota, "name: care,", fmt.Sprintf("name: r%02d,", i), 1))
		}
		Expect(rostra("oncall", "-f", folder(many...), "care").stderr).To(HaveSuffix("social/r08, social/r09, and 3 more\n"))
	})
})

var _ = Describe("A rota that is not in order", func() {
	It("answers with what can be read, and says what cannot", func() {
		r := rostra("oncall", "-f", folder(teams, strings.Replace(careRota, "[maria, dana]", "[maria, dana, gone]", 1)), "care")
		Expect(r.code).To(Equal(cli.ExitOK))
		Expect(r.stdout).To(ContainSubstring("maria"))
		Expect(r.stderr).To(MatchRegexp(`^warning: ResponderRota social/care: .*gone.*not in team customer-care.*\n$`))
	})

	It("answers nothing in a zone that does not exist", func() {
		r := rostra("oncall", "-f", folder(teams, strings.Replace(careRota, "Europe/London", "Europe/Londinium", 1)), "care")
		Expect(r.code).To(Equal(cli.ExitFailure))
		Expect(r.stdout).To(BeEmpty())
		Expect(r.stderr).To(And(HavePrefix("rostra: ResponderRota social/care: "), ContainSubstring(`"Europe/Londinium"`)))
	})

	It("is refused where its manifest is", func() {
		r := rostra("oncall", "-f", folder(strings.Replace(careRota, "layers", "layer", 1)), "care")
		Expect(r.code).To(Equal(cli.ExitFailure))
		Expect(r.stderr).To(And(HavePrefix("rostra: the manifests are not in order:\n"), ContainSubstring(`manifests.yaml: "spec.layer" is not a field of a ResponderRota`)))
	})
})

var _ = Describe("A rota as a calendar", func() {
	It("has the same events in each export, whole although the interval cuts them", func() {
		root := folder(teams, careRota)
		export := func(from string) map[string]string {
			GinkgoHelper()
			calendar, err := ics.ParseCalendar(strings.NewReader(succeed("oncall", "-f", root, "care", "--from", from, "--for", "1d", "-o", "ics")))
			Expect(err).NotTo(HaveOccurred())
			events := map[string]string{}
			for _, event := range calendar.Events() {
				events[event.Id()] = event.GetProperty(ics.ComponentPropertyDtStart).Value + "/" + event.GetProperty(ics.ComponentPropertyDtEnd).Value
			}
			return events
		}
		morning, afternoon := export("2026-11-23T08:00"), export("2026-11-23T15:00")
		Expect(morning).To(HaveLen(1))
		Expect(afternoon).To(HaveLen(2))
		for uid, times := range morning {
			Expect(times).To(Equal("20261123T090000/20261123T180000"))
			Expect(afternoon).To(HaveKeyWithValue(uid, times))
		}
	})

	It("has one event for a time, and none where nobody is on duty", func() {
		root := folder(teams, careRota)
		Expect(strings.Count(succeed("oncall", "-f", root, "care", "--at", "2026-11-23T10:00", "-o", "ics"), "BEGIN:VEVENT")).To(Equal(1))
		Expect(succeed("oncall", "-f", root, "care", "--at", "now", "-o", "ics")).NotTo(ContainSubstring("BEGIN:VEVENT"))
	})

	It("says when it was made and what it is", func() {
		Expect(succeed("oncall", "-f", folder(teams, careRota), "care", "-o", "ics")).To(And(
			ContainSubstring("X-WR-CALNAME:On call: social/care\r\n"), ContainSubstring("DTSTAMP:20261122T120000Z\r\n"),
			ContainSubstring("SUMMARY:On call: dana (weekdays)\r\n")))
	})
})

var _ = Describe("31 December of a leap year after the end of the table of a zone", func() {
	DescribeTable("is answered as any other",
		func(zone, offset string) {
			root := folder(teams, strings.Replace(careRota, "Europe/London", zone, 1), channel("acme-help", "{mode: Always}", "care"))
			at := "2040-12-31T12:00"
			Expect(segments(succeed("oncall", "-f", root, "care", "--at", at, "-o", "json"))[0].From).To(Equal("2040-12-31T09:00:00" + offset))
			Expect(segments(succeed("oncall", "-f", root, "care", "--from", at, "--for", "1d", "-o", "json"))[0].From).To(Equal(at + ":00" + offset))
			Expect(succeed("oncall", "-f", root, "care", "--at", at, "-o", "ics")).To(ContainSubstring("DTSTART;TZID=" + zone + ":20401231T090000"))
			Expect(strings.Count(succeed("oncall", "-f", root, "care", "--from", at, "--for", "1d", "-o", "ics"), "TZOFFSETTO:")).To(Equal(1))
			out := succeed("coverage", "-f", root, "--from", "2040-12-31", "--for", "2d")
			Expect(row(out, "Mon 31 Dec")).To(Equal("Mon 31 Dec" + strings.Repeat(" !!", 9) + strings.Repeat(" ==", 9) + strings.Repeat(" !!", 6)))
			Expect(row(out, "Tue 01 Jan")).To(Equal(strings.Replace(row(out, "Mon 31 Dec"), "Mon 31 Dec", "Tue 01 Jan", 1)))
			Expect(succeed("whois", "-f", root, "acme-help", "--at", at)).To(ContainSubstring("until Mon 2040-12-31 18:00 "))
		},
		Entry("in London", "Europe/London", "Z"),
		Entry("in Dublin", "Europe/Dublin", "Z"),
		Entry("in Santiago", "America/Santiago", "-03:00"),
	)
})

var _ = Describe("A time that is far away", func() {
	DescribeTable("is refused where years have more than four digits by then",
		func(expected string, args ...string) {
			r := rostra(append([]string{"-f", folder(teams, careRota, channel("acme-help", "{mode: Always}", "care"))}, args...)...)
			if expected == "" {
				Expect(r.code).To(Equal(cli.ExitOK))
				Expect(r.stdout).NotTo(MatchRegexp(`\b1\d{4}-`))
				return
			}
			Expect(r).To(Equal(result{code: cli.ExitUsage, stderr: "rostra: " + expected + "\nSee \"rostra " + args[0] + " --help\".\n"}))
		},
		Entry("on duty", `--at "9999-12-31T23:00" is out of bounds: from year 1000 to 9996`, "oncall", "care", "--at", "9999-12-31T23:00"),
		Entry("an interval", `--from "9997-01-02" is out of bounds: from year 1000 to 9996`, "oncall", "care", "--from", "9997-01-02"),
		Entry("coverage", `--from "9999-12-31T23:00:00Z" is out of bounds: from year 1000 to 9996`, "coverage", "--from", "9999-12-31T23:00:00Z"),
		Entry("whois", `--at "0001-01-01" is out of bounds: from year 1000 to 9996`, "whois", "acme-help", "--at", "0001-01-01"),
		Entry("not the last", "", "oncall", "care", "--from", "9996-12-31", "--for", "366d", "-o", "json"),
		Entry("nor the last day", "", "oncall", "care", "--at", "9996-12-31T12:00", "-o", "json"),
	)
})

var _ = Describe("Overrides that do nothing", func() {
	It("are told beside the answer, those of the rota alone", func() {
		typo := strings.NewReplacer("otto-helps", "typo", "member: otto", "member: oto").Replace(swap)
		lost := strings.NewReplacer("otto-helps", "lost", "name: public-relations", "name: publicrelations").Replace(swap)
		turned := strings.NewReplacer("otto-helps", "turned", "24T20:00", "23T20:00").Replace(swap)
		other := strings.NewReplacer("otto-helps", "other", "name: care", "name: cares", "member: otto", "member: oto").Replace(swap)
		r := rostra("oncall", "-f", folder(teams, careRota, swap, typo, lost, turned, other, inNamespace(typo, "press")), "care")
		Expect(r.code).To(Equal(cli.ExitOK))
		Expect(strings.Split(strings.TrimSpace(r.stderr), "\n")).To(ConsistOf(
			"warning: RotaOverride social/typo: oto is not a member of team public-relations at 2026-11-24T12:00:00Z, so the rota answers as if this override were not there: name a member",
			"warning: RotaOverride social/lost: Team publicrelations does not exist: correct spec.teamRef",
			"warning: RotaOverride social/turned: it ends at 2026-11-23T20:00:00Z, which is not after it begins at 2026-11-24T12:00:00Z, so it is in force at no time: correct spec.from or spec.until",
		))
		Expect(r.stdout).To(ContainSubstring("otto"))
	})
})

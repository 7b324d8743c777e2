// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/cli"
)

const (
	// The rota of an airline whose page was watched by nobody at night.
	officeHours = `apiVersion: social.rostra.dev/v1alpha1
kind: ResponderRota
metadata: {name: office, namespace: social}
spec:
  timeZone: Australia/Sydney
  layers:
  - name: office
    teamRef: {name: customer-care}
    members: [maria, dana]
    handoff: {start: "2026-11-02T09:00:00", every: 1, unit: Week}
    windows: [{from: "09:00", to: "17:00"}]
`
	nights = `  - name: nights
    teamRef: {name: public-relations}
    handoff: {start: "2026-11-02T17:00:00", every: 1, unit: Day}
    windows: [{from: "17:00", to: "09:00"}]
`
	header = "           00 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23\n"
	legend = "== covered   =! partly   !! nobody on duty   .. not promised\n"
)

// report is an entry of the JSON output.
type report struct {
	Channel, Rota, TimeZone, Mode string
	Percent                       *int
	UncoveredPerWeek              *string
	Gaps                          []struct{ Start, End string }
	Remark                        string
}

func reports(text string) []report {
	GinkgoHelper()
	var list []report
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	Expect(decoder.Decode(&list)).To(Succeed())
	return list
}

// row of a heat map, of the day of that name.
func row(out, day string) string {
	GinkgoHelper()
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, day) {
			return strings.TrimSuffix(line, "\n")
		}
	}
	Fail("there is no row " + day + " in\n" + out)
	return ""
}

var _ = Describe("The night that nobody watched", Label("S1"), func() {
	always := channel("acme-help", "{mode: Always}", "office")

	It("is seen before it comes", func() {
		root := folder(teams, officeHours, always)
		out := succeed("coverage", "-f", root)
		Expect(out).To(HavePrefix("social/acme-help promises all hours; rota office answers. Times are in Australia/Sydney.\n\n" + header))
		Expect(row(out, "Sat 28 Nov")).To(Equal("Sat 28 Nov" + strings.Repeat(" !!", 9) + strings.Repeat(" ==", 8) + strings.Repeat(" !!", 7)))
		Expect(out).To(ContainSubstring("\n\n" + legend + "\n33% covered; nobody is on duty for 112h a week of the promised hours:\n" +
			"  Sun 22 Nov 17:00 – Mon 23 Nov 09:00 Australia/Sydney\n  Mon 23 Nov 17:00 – Tue 24 Nov 09:00 Australia/Sydney\n"))

		list := reports(succeed("coverage", "-f", root, "-o", "json", "social/acme-help"))
		Expect(list).To(HaveLen(1))
		Expect(*list[0].Percent).To(Equal(33))
		Expect(*list[0].UncoveredPerWeek).To(Equal("112h0m0s"))
		Expect(list[0].Gaps).To(HaveLen(15))
		Expect(list[0].Gaps[0].Start).To(Equal("2026-11-22T23:00:00+11:00"), "now")
		Expect(list[0].Gaps[1].Start).To(Equal("2026-11-23T17:00:00+11:00"))
		Expect(list[0].Gaps[1].End).To(Equal("2026-11-24T09:00:00+11:00"))
		Expect([]string{list[0].Channel, list[0].Rota, list[0].TimeZone, list[0].Mode, list[0].Remark}).To(Equal(
			[]string{"social/acme-help", "office", "Australia/Sydney", "Always", ""}))
	})

	It("fails a check of the repository, if that is asked for", func() {
		root := folder(teams, officeHours, always)
		r := rostra("coverage", "-f", root, "--fail-on-gap")
		Expect(r.code).To(Equal(cli.ExitGap))
		Expect(r.stdout).To(ContainSubstring("33% covered"))
		Expect(r.stderr).To(Equal("rostra: social/acme-help has promised hours at which nobody is on duty, the first: Sun 22 Nov 17:00 – Mon 23 Nov 09:00 Australia/Sydney\n"))
	})

	It("is covered when a layer answers at night", Label("S2"), func() {
		root := folder(teams, officeHours+nights, always)
		out := succeed("coverage", "-f", root, "--fail-on-gap")
		Expect(row(out, "Sat 28 Nov")).To(Equal("Sat 28 Nov" + strings.Repeat(" ==", 24)))
		Expect(out).To(HaveSuffix("\n100% covered: somebody is on duty at every promised hour.\n"))
		Expect(strings.Count(out, "!!")).To(Equal(1), "in the legend")
		list := reports(succeed("coverage", "-f", root, "-o", "json"))
		Expect(*list[0].Percent).To(Equal(100))
		Expect(*list[0].UncoveredPerWeek).To(Equal("0s"))
		Expect(list[0].Gaps).To(BeEmpty())
	})
})

var _ = Describe("A heat map", func() {
	It("shows the hours that were asked about, in the channel's zone, by promise and duty", func() {
		root := folder(teams, officeHours, channel("acme-help", `{mode: Windows, timeZone: Asia/Kathmandu, windows: [{from: "04:00", to: "12:30"}]}`, "office"))
		// Office hours in Sydney are 03:45 to 11:45 in Kathmandu.
		Expect(succeed("coverage", "-f", root, "--from", "2026-11-27T10:30", "--for", "20h")).To(Equal(
			"social/acme-help promises the hours of its windows; rota office answers. Times are in Asia/Kathmandu.\n\n" + header +
				"Fri 27 Nov                               == =! !! .. .. .. .. .. .. .. .. .. .. ..\n" +
				"Sat 28 Nov .. .. .. .. == == ==\n\n" + legend + `
83% covered; nobody is on duty for 6h 18m a week of the promised hours:
  Fri 27 Nov 11:45 – 12:30 Asia/Kathmandu
`))
	})

	It("leaves out the hour that does not come, and shows one that comes twice once", func() {
		root := folder(teams, strings.NewReplacer("Australia/Sydney", "Europe/London", `from: "09:00", to: "17:00"`, `from: "00:00", to: "01:30"`).Replace(officeHours),
			channel("acme-help", "{mode: Always}", "office"))
		forward := succeed("coverage", "-f", root, "--from", "2027-03-28", "--for", "23h")
		Expect(row(forward, "Sun 28 Mar")).To(Equal("Sun 28 Mar ==   " + strings.Repeat(" !!", 22)))
		Expect(forward).NotTo(ContainSubstring("\nMon 29 Mar"))
		back := succeed("coverage", "-f", root, "--from", "2027-10-31", "--for", "25h")
		Expect(row(back, "Sun 31 Oct")).To(Equal("Sun 31 Oct == =!" + strings.Repeat(" !!", 22)))
		Expect(back).NotTo(ContainSubstring("\nMon 01 Nov"))
		Expect(reports(succeed("coverage", "-f", root, "--from", "2027-10-31", "--for", "25h", "-o", "json"))[0].Gaps).To(HaveLen(1))
	})

	It("follows a clock that changes by half an hour", func() {
		root := folder(teams, strings.NewReplacer("Australia/Sydney", "Australia/Lord_Howe", `from: "09:00", to: "17:00"`, `from: "00:00", to: "02:00"`).Replace(officeHours),
			channel("acme-help", "{mode: Always}", "office"))
		// The clock goes from 01:59 to 02:30, and half a year before from 01:59 back to 01:30.
		Expect(row(succeed("coverage", "-f", root, "--from", "2026-10-04", "--for", "1d"), "Sun 04 Oct")).To(Equal("Sun 04 Oct" + strings.Repeat(" !!", 24)))
		Expect(row(succeed("coverage", "-f", root, "--from", "2027-04-04", "--for", "24h30m"), "Sun 04 Apr")).To(Equal("Sun 04 Apr == ==" + strings.Repeat(" !!", 22)))
	})

	It("is coloured when that is asked for, and says the same without colours", func() {
		root := folder(teams, officeHours, channel("acme-help", `{mode: Windows, windows: [{from: "08:30", to: "24:00"}]}`, "office"))
		plain := succeed("coverage", "-f", root)
		Expect(plain).NotTo(ContainSubstring("\x1b"), "this is no terminal")
		coloured := succeed("coverage", "-f", root, "--color=always")
		Expect(row(coloured, "Sat 28 Nov")).To(HavePrefix("Sat 28 Nov\x1b[2m ..\x1b[0m"))
		Expect(row(coloured, "Sat 28 Nov")).To(And(ContainSubstring("\x1b[30;42m ==\x1b[0m"), ContainSubstring("\x1b[97;41m !!\x1b[0m")))
		bare := coloured
		for _, sequence := range []string{"\x1b[0m", "\x1b[2m", "\x1b[30;42m", "\x1b[30;43m", "\x1b[97;41m"} {
			bare = strings.ReplaceAll(bare, sequence, "")
		}
		Expect(bare).To(Equal(plain))
		Expect(succeed("coverage", "-f", root, "--color=never")).To(Equal(plain))
	})

	It("names so many gaps and counts the rest", func() {
		out := succeed("coverage", "-f", folder(teams, officeHours, channel("acme-help", "{mode: Always}", "office")), "--for", "30d")
		Expect(strings.Count(out, " – ")).To(Equal(20))
		Expect(out).To(HaveSuffix("  and 11 more: -o json lists all\n"))
	})
})

var _ = Describe("Channels", func() {
	It("are all shown, those without a promise, a rota or one that exists in words", func() {
		root := folder(teams, officeHours,
			channel("d-bare", "", ""), channel("c-none", "{mode: None}", "office"), channel("b-alone", "{mode: Always, timeZone: Asia/Kathmandu}", ""), channel("a-lost", "{mode: Always}", "gone"))
		out := succeed("coverage", "-f", root, "--for", "2h")
		Expect(out).To(And(
			ContainSubstring("social/a-lost promises all hours. Times are in UTC.\nIt names ResponderRota social/gone, which does not exist, so nobody answers.\n"),
			ContainSubstring("\n\nsocial/b-alone promises all hours. Times are in Asia/Kathmandu.\nIt names no rota (spec.responderRotaRef), so nobody answers.\n"),
			ContainSubstring("\n0% covered; nobody is on duty for 168h a week of the promised hours:\n"),
			HaveSuffix("\n\nsocial/c-none promises no hours (spec.coverage), so there is nothing to cover.\n\nsocial/d-bare promises no hours (spec.coverage), so there is nothing to cover.\n"),
		))
		list := reports(succeed("coverage", "-f", root, "-o", "json"))
		Expect(list).To(HaveLen(4))
		Expect(list[0].Gaps).To(HaveLen(1))
		Expect(list[3].Percent).To(BeNil())
		Expect(list[3].UncoveredPerWeek).To(BeNil())
		Expect(list[3].Gaps).To(BeEmpty())
		Expect(list[3].Mode).To(Equal("None"))
		Expect(rostra("coverage", "-f", root, "c-none", "--fail-on-gap").code).To(Equal(cli.ExitOK))
		Expect(rostra("coverage", "-f", root, "b-alone", "--fail-on-gap").code).To(Equal(cli.ExitGap))
	})

	It("are those of one namespace, or one of them", func() {
		root := folder(teams, channel("a", "", ""), inNamespace(channel("a", "", ""), "press"), channel("b", "", ""))
		Expect(reports(succeed("coverage", "-f", root, "-n", "press", "-o", "json"))).To(HaveLen(1))
		Expect(reports(succeed("coverage", "-f", root, "-A", "-o", "json"))).To(HaveLen(3))
		Expect(reports(succeed("coverage", "-f", root, "b", "-o", "json"))).To(HaveLen(1))
		Expect(rostra("coverage", "-f", root, "a").stderr).To(Equal("rostra: SocialChannel a is in several namespaces: name one of press/a, social/a\n"))
		Expect(rostra("coverage", "-f", root, "c").stderr).To(ContainSubstring("there is no SocialChannel c in the manifests; there is press/a, social/a, social/b"))
	})

	It("may not be there at all", func() {
		Expect(succeed("coverage", "-f", folder(teams))).To(Equal("There is no SocialChannel here.\n"))
		Expect(succeed("coverage", "-f", folder(teams), "-o", "json")).To(Equal("[]\n"))
	})

	It("that are none fail a check", func() {
		r := rostra("coverage", "-f", folder(teams, officeHours, channel("acme-help", "{mode: Always}", "office")), "-n", "sozial", "--fail-on-gap")
		Expect(r.code).To(Equal(cli.ExitFailure))
		Expect(r.stderr).To(Equal("rostra: there is no SocialChannel here, so nothing was compared: give -f the folder that declares them, or name their namespace\n"))
		Expect(rostra("coverage", "-f", GinkgoT().TempDir(), "--fail-on-gap").code).To(Equal(cli.ExitFailure))
	})

	DescribeTable("whose promise cannot be read fail a check, and are not said to be covered",
		func(promise, warning string) {
			root := folder(teams, officeHours+nights, channel("acme-help", promise, "office"))
			r := rostra("coverage", "-f", root, "--fail-on-gap")
			Expect(r.code).To(Equal(cli.ExitFailure))
			Expect(r.stdout).NotTo(ContainSubstring("covered:"))
			Expect(r.stdout).To(Equal("social/acme-help promises hours that cannot be read (spec.coverage), so nothing is compared.\n"))
			Expect(r.stderr).To(And(HavePrefix("warning: SocialChannel social/acme-help: spec.coverage has "+warning),
				HaveSuffix("\nrostra: social/acme-help: what it promises cannot be read as it stands (see the warnings): correct spec.coverage\n")))
			r = rostra("coverage", "-f", root)
			Expect(r.code).To(Equal(cli.ExitOK))
			Expect(r.stderr).To(HavePrefix("warning: "))
		},
		Entry("for its mode", "{mode: Windos}", `the mode "Windos"`),
		Entry("for want of a mode", `{windows: [{from: "09:00", to: "18:00"}]}`, `the mode ""`),
		Entry("for want of windows", "{mode: Windows}", `the mode "Windows" and no windows`),
		Entry("for its hours", `{mode: Windows, windows: [{from: "09:00", to: "09:00"}]}`, "a window that ends when it begins"),
	)

	It("whose promise can be read in part fail a check", func() {
		r := rostra("coverage", "-f", folder(teams, officeHours+nights, channel("acme-help", `{mode: Windows, windows: [{from: "09:00", to: "09:00"}, {from: "10:00", to: "12:00"}]}`, "office")), "--fail-on-gap")
		Expect(r.code).To(Equal(cli.ExitFailure))
		Expect(r.stdout).To(ContainSubstring("100% covered"))
	})

	It("with a problem do not hide the others", func() {
		root := folder(teams, officeHours, strings.NewReplacer("name: office,", "name: lost,", "Australia/Sydney", "Australia/Sidney").Replace(officeHours),
			channel("a", "{mode: Always}", "lost"), channel("b", "{mode: Always, timeZone: Asia/Katmandhu}", "office"), channel("c", "{mode: Always}", "office"))
		r := rostra("coverage", "-f", root, "--fail-on-gap")
		Expect(r.code).To(Equal(cli.ExitFailure))
		Expect(r.stdout).To(HavePrefix("social/c promises all hours"))
		Expect(r.stderr).To(And(ContainSubstring("ResponderRota social/lost: "), ContainSubstring("SocialChannel social/b: "), ContainSubstring("Asia/Katmandhu")))
	})

	It("warn once of a rota that serves several of them", func() {
		root := folder(teams, strings.Replace(officeHours, "[maria, dana]", "[maria, gone]", 1), channel("a", "{mode: Always}", "office"), channel("b", "{mode: Always}", "office"))
		Expect(strings.Count(rostra("coverage", "-f", root).stderr, "warning: ")).To(Equal(1))
	})
})

var _ = Describe("The samples", func() {
	It("can be read, and their coverage told", func() {
		root := filepath.Join("..", "..", "config", "samples")
		Expect(os.Stat(root)).NotTo(BeNil())
		r := rostra("coverage", "-f", root, "-o", "json")
		Expect(r.stderr).To(BeEmpty())
		Expect(reports(r.stdout)).NotTo(BeEmpty())
	})
})

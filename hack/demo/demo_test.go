// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/test/pds"
)

func TestDemo(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "The demo's own parts")
}

// printing gives a console that prints into a file.
func printing() *console {
	GinkgoHelper()
	file, err := os.Create(filepath.Join(GinkgoT().TempDir(), "out"))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(file.Close)
	return newConsole(file)
}

var _ = Describe("Editing a manifest", func() {
	const text = "a\nb\nc\nd\ne\nf\ng\n"

	It("changes one line and shows it as git does", func() {
		changed, hunk, err := changeLine(text, "e", "E")
		Expect(err).NotTo(HaveOccurred())
		Expect(changed).To(Equal("a\nb\nc\nd\nE\nf\ng\n"))
		Expect(hunk).To(Equal("@@ -2,6 +2,6 @@\n b\n c\n d\n-e\n+E\n f\n g\n"))
	})

	It("adds lines after one", func() {
		changed, hunk, err := changeLine(text, "f", "f\n1\n2")
		Expect(err).NotTo(HaveOccurred())
		Expect(changed).To(Equal("a\nb\nc\nd\ne\nf\n1\n2\ng\n"))
		Expect(hunk).To(Equal("@@ -4,4 +4,6 @@\n d\n e\n f\n+1\n+2\n g\n"))
	})

	It("removes one line", func() {
		changed, hunk, err := changeLine(text, "a", "")
		Expect(err).NotTo(HaveOccurred())
		Expect(changed).To(Equal("b\nc\nd\ne\nf\ng\n"))
		Expect(hunk).To(Equal("@@ -1,4 +1,3 @@\n-a\n b\n c\n d\n"))
	})

	It("refuses a line that is not there, or there twice", func() {
		_, _, err := changeLine(text, "x", "y")
		Expect(err).To(MatchError(ContainSubstring(`no line reads "x"`)))
		_, _, err = changeLine(strings.Repeat("one\n", 2), "one", "b")
		Expect(err).To(MatchError(ContainSubstring("lines 1 and 2")))
	})
})

var _ = Describe("The samples", func() {
	var w *workspace

	BeforeEach(func() {
		GinkgoT().Setenv("TMPDIR", GinkgoT().TempDir())
		var err error
		w, err = newWorkspace()
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(w.remove)
		Expect(w.copyCompany("../../config/samples", "http://127.0.0.1:1")).To(Succeed())
	})

	It("have the lines that the demo edits", func() {
		_, err := w.edit("channels/"+helpChannel+".yaml", ownerLine(marketing), ownerLine(customerCare))
		Expect(err).NotTo(HaveOccurred())
		_, err = w.edit("teams/"+customerCare+".yaml", leaverLine, "")
		Expect(err).NotTo(HaveOccurred())
		_, err = w.edit(mentionsRoute, inEarnest, spedUp)
		Expect(err).NotTo(HaveOccurred())
	})

	It("are the kinds that their folders say, with what the demo relies on", func() {
		channels, err := w.channels()
		Expect(err).NotTo(HaveOccurred())
		names := map[string]bool{}
		for _, channel := range channels {
			Expect(channel.Kind).To(Equal("SocialChannel"))
			Expect(channel.Namespace).To(Equal(socialNamespace))
			names[channel.Name] = true
		}
		for _, name := range careChannels() {
			Expect(names).To(HaveKey(name))
		}
		teams, err := w.teams()
		Expect(err).NotTo(HaveOccurred())
		for _, team := range teams {
			Expect(team.Kind).To(Equal("Team"))
			Expect(team.Spec.Namespace).To(Equal(team.Name))
		}
	})
})

var _ = Describe("Printing", func() {
	It("has no colours where there is no terminal, and is remembered", func() {
		c := printing()
		c.begin("A chapter")
		c.command("kubectl get teams")
		c.change("--- a/x\n+++ b/x\n@@ -1,1 +1,1 @@\n-a\n+b\n")
		Expect(c.transcript()).To(And(
			ContainSubstring("1. A chapter"), ContainSubstring("\n$ kubectl get teams\n"), ContainSubstring("-a\n+b\n"),
			Not(ContainSubstring("\x1b"))))
	})

	It("puts progress in whole lines, under one name", func() {
		c := printing()
		writer := c.progress("bluesky", "pds")
		_, err := fmt.Fprint(writer, "pds: inst")
		Expect(err).NotTo(HaveOccurred())
		Expect(c.transcript()).To(BeEmpty())
		_, err = fmt.Fprint(writer, "alling\nrest")
		Expect(err).NotTo(HaveOccurred())
		Expect(c.transcript()).To(Equal("   bluesky     installing\n"))
	})

	DescribeTable("quotes what a shell would take apart", func(arg, quoted string) {
		Expect(commandLine([]string{"get", arg})).To(Equal("kubectl get " + quoted))
	},
		Entry(nil, "teams", "teams"),
		Entry(nil, "jsonpath={.a}", "'jsonpath={.a}'"),
		Entry(nil, "it's", `'it'\''s'`),
	)
})

var _ = Describe("Expectations", func() {
	It("hold only if there are some and none failed", func() {
		c := &checks{console: printing()}
		Expect(c.held()).To(BeFalse())
		c.expect("one", nil)
		Expect(c.held()).To(BeTrue())
		c.expect("two", errors.New("it is not so"))
		Expect(c.held()).To(BeFalse())
		c.table()
		Expect(c.console.transcript()).To(And(
			ContainSubstring("✓ one"), ContainSubstring("✗ two"), ContainSubstring("it is not so"),
			ContainSubstring("1 of 2 expectations did not hold")))
	})

	It("of a refusal are not met by a success, nor by another trouble", func() {
		Expect(refused(nil)).NotTo(Succeed())
		Expect(refused(errors.New("connection refused"))).NotTo(Succeed())
		Expect(refused(fmt.Errorf("log in: %w", &pds.Error{Status: 401, Name: "AuthenticationRequired"}))).To(Succeed())
	})
})

var _ = Describe("Secrets", func() {
	It("are found where they must not be, and never named", func() {
		s := &secrets{}
		s.add("abcd-efgh")
		Expect(s.in("a log", "nothing here")).To(Succeed())
		err := s.in("a log", "password abcd-efgh")
		Expect(err).To(MatchError(And(ContainSubstring("a log"), Not(ContainSubstring("abcd")))))
		Expect(fmt.Sprint(s, delivered{id: "rostra-1", password: "abcd-efgh"})).NotTo(ContainSubstring("abcd"))
	})
})

var _ = DescribeTable("ONCE in the environment", func(value string, args []string, once, fails bool) {
	GinkgoT().Setenv("ONCE", value)
	got, err := readSettings(args)
	Expect(err != nil).To(Equal(fails))
	Expect(got).To(Equal(once))
},
	Entry("absent", "", nil, false, false),
	Entry("absent, with the flag", "", []string{"--once"}, true, false),
	Entry("1", "1", nil, true, false),
	Entry("0", "0", nil, false, false),
	Entry("nonsense", "maybe", nil, false, true),
)

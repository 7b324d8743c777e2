// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package pds_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/test/pds"
)

// npm scripts that stand in for the real one: what matters here is what the
// install makes of their outcome.
const (
	npmWorks = `#!/bin/sh
echo run >> "$NPM_RUNS"
mkdir -p node_modules/better-sqlite3
echo 'module.exports = class { close() {} }' > node_modules/better-sqlite3/index.js
`
	npmFails = `#!/bin/sh
echo 'gyp ERR! not found: g++' >&2
exit 1
`
	// npmDies takes the whole process group with it, as a machine does that
	// runs out of memory.
	npmDies = `#!/bin/sh
kill -KILL 0
`
	npmIsUseless = `#!/bin/sh
mkdir -p node_modules
`
)

var _ = Describe("Install", func() {
	var cache, tools, runs string

	BeforeEach(func() {
		if _, err := exec.LookPath("node"); err != nil && os.Getenv("CI") == "" {
			Skip("node is not in the PATH")
		}
		dir := GinkgoT().TempDir()
		cache, tools, runs = filepath.Join(dir, "cache"), filepath.Join(dir, "tools"), filepath.Join(dir, "runs")
		Expect(os.Mkdir(tools, 0o700)).To(Succeed())
		GinkgoT().Setenv("ROSTRA_CACHE_DIR", cache)
		GinkgoT().Setenv("NPM_RUNS", runs)
		GinkgoT().Setenv("PATH", tools+string(os.PathListSeparator)+os.Getenv("PATH"))
	})

	npm := func(script string) {
		GinkgoHelper()
		Expect(os.WriteFile(filepath.Join(tools, "npm"), []byte(script), 0o700)).To(Succeed())
	}
	npmRuns := func() int {
		GinkgoHelper()
		content, err := os.ReadFile(runs)
		Expect(err).NotTo(HaveOccurred())
		return strings.Count(string(content), "run")
	}
	// entries lists the cache, without the lock.
	entries := func() []string {
		GinkgoHelper()
		list, err := os.ReadDir(filepath.Join(cache, "pds"))
		Expect(err).NotTo(HaveOccurred())
		var names []string
		for _, entry := range list {
			if entry.Name() != ".lock" {
				names = append(names, entry.Name())
			}
		}
		return names
	}

	It("installs once and is quick afterwards", func(ctx SpecContext) {
		npm(npmWorks)
		dir, err := pds.Install(ctx, GinkgoWriter)
		Expect(err).NotTo(HaveOccurred())
		Expect(dir).To(HavePrefix(cache))
		Expect(filepath.Join(dir, "node_modules", "better-sqlite3")).To(BeADirectory())

		npm(npmFails)
		started := time.Now()
		Expect(pds.Install(ctx, GinkgoWriter)).To(Equal(dir))
		Expect(time.Since(started)).To(BeNumerically("<", 5*time.Second))
		Expect(npmRuns()).To(Equal(1))
		Expect(entries()).To(ConsistOf(filepath.Base(dir)))
	}, NodeTimeout(specTime))

	It("installs once when several ask at the same time", func(ctx SpecContext) {
		npm(npmWorks)
		const callers = 4
		done := make(chan error, callers)
		for range callers {
			go func() {
				_, err := pds.Install(ctx, GinkgoWriter)
				done <- err
			}()
		}
		for range callers {
			Eventually(ctx, done).Should(Receive(Not(HaveOccurred())))
		}
		Expect(npmRuns()).To(Equal(1))
		Expect(entries()).To(HaveLen(1))
	}, NodeTimeout(specTime))

	It("recovers from an install that was killed", func(ctx SpecContext) {
		npm(npmDies)
		_, err := pds.Install(ctx, GinkgoWriter)
		Expect(err).To(MatchError(ContainSubstring("killed")))
		Expect(entries()).To(ConsistOf(HavePrefix(".new-")))

		npm(npmWorks)
		dir, err := pds.Install(ctx, GinkgoWriter)
		Expect(err).NotTo(HaveOccurred())
		Expect(entries()).To(ConsistOf(filepath.Base(dir)))
	}, NodeTimeout(specTime))

	DescribeTable("leaves nothing behind and says why when it fails",
		func(ctx SpecContext, script, reason string) {
			npm(script)
			_, err := pds.Install(ctx, GinkgoWriter)
			Expect(err).To(MatchError(ContainSubstring(reason)))
			Expect(err).NotTo(MatchError(pds.ErrUnavailable))
			Expect(entries()).To(BeEmpty())
		},
		Entry("npm fails", npmFails, "not found: g++"),
		Entry("the driver does not load", npmIsUseless, "does not load"),
	)

	It("stops when it is told to", func(ctx SpecContext) {
		npm("#!/bin/sh\necho run >> \"$NPM_RUNS\"\nexec tail -f /dev/null\n")
		short, cancel := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() {
			_, err := pds.Install(short, GinkgoWriter)
			done <- err
		}()
		Eventually(ctx, func() string { return runs }).Should(BeARegularFile())
		cancel()
		Eventually(ctx, done).Should(Receive(MatchError(context.Canceled)))
		Expect(entries()).To(BeEmpty())
	}, NodeTimeout(specTime))

	It("names the tool that is missing", func(ctx SpecContext) {
		for _, tool := range []string{"sh", "node", "dirname"} {
			path, err := exec.LookPath(tool)
			Expect(err).NotTo(HaveOccurred())
			Expect(os.Symlink(path, filepath.Join(tools, tool))).To(Succeed())
		}
		GinkgoT().Setenv("PATH", tools)
		_, err := pds.Install(ctx, GinkgoWriter)
		Expect(err).To(MatchError(pds.ErrUnavailable))
		Expect(err).To(MatchError(ContainSubstring("npm is not in the PATH")))
	}, NodeTimeout(specTime))
})

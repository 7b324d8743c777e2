// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package pds_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/test/pds"
)

// parentMode makes this test binary start a server and wait to be killed:
// "running" or "paused".
const parentMode = "ROSTRA_TEST_PDS_PARENT"

// orphan is what such a parent prints of its server.
type orphan struct{ URL, Dir string }

func TestMain(m *testing.M) {
	mode := os.Getenv(parentMode)
	if mode == "" {
		os.Exit(m.Run())
	}
	if err := beParent(mode); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	select {}
}

func beParent(mode string) error {
	server, err := pds.Start(context.Background(), pds.Options{})
	if err != nil {
		return err
	}
	if mode == "paused" {
		if err := server.Pause(); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(orphan{URL: server.URL(), Dir: server.Dir()})
}

var _ = Describe("A server whose parent is killed", func() {
	DescribeTable("ends and removes its data",
		func(ctx SpecContext, mode string) {
			if mode == "paused" && runtime.GOOS != "linux" {
				Skip("only Linux wakes a paused child whose parent died")
			}
			_, err := pds.Install(ctx, GinkgoWriter)
			skipWithoutTools(err)
			Expect(err).NotTo(HaveOccurred())

			parent := exec.CommandContext(ctx, os.Args[0])
			parent.Env = append(os.Environ(), parentMode+"="+mode)
			parent.Stderr = GinkgoWriter
			output, err := parent.StdoutPipe()
			Expect(err).NotTo(HaveOccurred())
			Expect(parent.Start()).To(Succeed())
			line, err := bufio.NewReader(output).ReadBytes('\n')
			Expect(err).NotTo(HaveOccurred())
			var left orphan
			Expect(json.Unmarshal(line, &left)).To(Succeed())
			Expect(left.Dir).To(BeADirectory())

			Expect(parent.Process.Kill()).To(Succeed())
			Expect(parent.Wait()).To(MatchError("signal: killed"))
			Eventually(ctx, func() string { return left.Dir }, specTime).ShouldNot(BeADirectory())
			Eventually(ctx, func() error { return whoami(ctx, left.URL, "x") }, specTime).Should(MatchError(ContainSubstring("refused")))
		},
		Entry("while it runs", "running"),
		Entry("while it is paused", "paused"),
	)
})

// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/test/cluster"
)

var _ = Describe("The life of a cluster", func() {
	var temporary string // where clusters of the spec keep their data

	BeforeEach(func() {
		temporary = GinkgoT().TempDir()
		GinkgoT().Setenv("TMPDIR", temporary)
	})

	It("leaves no process and no file behind when it is stopped, also twice", func(ctx SpecContext) {
		c, err := cluster.Start(ctx, cluster.Options{ControllerManager: true})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(c.Stop)
		processes := c.Processes()
		Expect(names(processes)).To(Equal([]string{"etcd", "kube-apiserver", "kube-controller-manager"}))
		for _, p := range processes {
			Expect(alive(p.PID)).To(BeTrue(), p.Name)
		}
		Expect(c.Kubeconfig()).To(BeARegularFile())

		Expect(c.Stop()).To(Succeed())
		for _, p := range processes {
			Expect(alive(p.PID)).To(BeFalse(), p.Name)
		}
		Expect(filepath.Glob(filepath.Join(temporary, "rostra-cluster-*"))).To(BeEmpty())
		Expect(c.Stop()).To(Succeed())
	})

	It("ends with the program that started it, even when that is killed", func(ctx SpecContext) {
		if runtime.GOOS != "linux" {
			Skip("only Linux tells a child that its parent has died")
		}
		keeper := exec.CommandContext(ctx, os.Args[0])
		keeper.Env = append(os.Environ(), keeperVariable+"=yes")
		keeper.Stderr = GinkgoWriter
		out, err := keeper.StdoutPipe()
		Expect(err).NotTo(HaveOccurred())
		Expect(keeper.Start()).To(Succeed())
		var pids []int
		for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "ready"; {
			pid, err := strconv.Atoi(lines.Text())
			Expect(err).NotTo(HaveOccurred())
			Expect(alive(pid)).To(BeTrue())
			pids = append(pids, pid)
		}
		Expect(pids).To(HaveLen(2))

		Expect(keeper.Process.Kill()).To(Succeed())
		Expect(keeper.Wait()).To(MatchError(ContainSubstring("killed")))
		for _, pid := range pids {
			Eventually(alive).WithArguments(pid).Should(BeFalse())
		}
	}, NodeTimeout(2*time.Minute))

	It("keeps the logs where it is told to", func(ctx SpecContext) {
		logs := GinkgoT().TempDir()
		c, err := cluster.Start(ctx, cluster.Options{LogDir: logs, APIServerArgs: []string{"--v=1"}})
		Expect(err).NotTo(HaveOccurred())
		Expect(c.Stop()).To(Succeed())
		Expect(os.ReadFile(filepath.Join(logs, "kube-apiserver.log"))).To(ContainSubstring(`FLAG: --v="1"`))
		Expect(filepath.Join(logs, "etcd.log")).To(BeARegularFile())
	})

	Context("when a program does not do what it should", func() {
		var assets, etcdPID, etcdArgs string

		BeforeEach(func() {
			assets = GinkgoT().TempDir()
			etcdPID, etcdArgs = filepath.Join(assets, "pid"), filepath.Join(assets, "args")
			script(assets, "etcd", fmt.Sprintf(`echo $$ >%s; echo "$@" >%s; exec sleep 300`, etcdPID, etcdArgs))
			script(assets, "kubectl", "exit 1")
			GinkgoT().Setenv("KUBEBUILDER_ASSETS", assets)
		})

		It("says what the program said, and stops the others", func(ctx SpecContext) {
			script(assets, "kube-apiserver", "echo the disk is full >&2; until test -s "+etcdPID+"; do :; done; exit 3")
			_, err := cluster.Start(ctx, cluster.Options{})
			Expect(err).To(MatchError(And(
				ContainSubstring("kube-apiserver failed"), ContainSubstring("exit status 3"), ContainSubstring("the disk is full"))))
			Expect(alive(readPID(etcdPID))).To(BeFalse())
			Expect(filepath.Glob(filepath.Join(temporary, "rostra-cluster-*"))).To(BeEmpty())
		})

		It("gives up when the caller does, and stops everything", func(ctx SpecContext) {
			apiServerPID := filepath.Join(assets, "api-server-pid")
			script(assets, "kube-apiserver", "echo $$ >"+apiServerPID+"; exec sleep 300")
			short, cancel := context.WithCancel(ctx)
			DeferCleanup(cancel)
			go func() {
				defer GinkgoRecover()
				defer cancel()
				Eventually(apiServerPID).WithContext(ctx).Should(BeARegularFile())
				Eventually(etcdPID).WithContext(ctx).Should(BeARegularFile())
			}()
			_, err := cluster.Start(short, cluster.Options{})
			Expect(err).To(MatchError(context.Canceled))
			Expect(alive(readPID(apiServerPID))).To(BeFalse())
			Expect(alive(readPID(etcdPID))).To(BeFalse())
			Expect(filepath.Glob(filepath.Join(temporary, "rostra-cluster-*"))).To(BeEmpty())
		})

		DescribeTable("tells etcd whether to wait for the disk", func(ctx SpecContext, durable bool, flag string) {
			script(assets, "kube-apiserver", "until test -s "+etcdArgs+"; do :; done; exit 1")
			_, err := cluster.Start(ctx, cluster.Options{Durable: durable})
			Expect(err).To(HaveOccurred())
			Expect(os.ReadFile(etcdArgs)).To(ContainSubstring(flag))
		},
			Entry("in tests not", false, "--unsafe-no-fsync=true"),
			Entry("as in production", true, "--unsafe-no-fsync=false"),
		)

		It("names the controller manager when it is asked for and not there", func(ctx SpecContext) {
			script(assets, "kube-apiserver", "exit 1")
			_, err := cluster.Start(ctx, cluster.Options{ControllerManager: true})
			Expect(err).To(MatchError(And(
				ContainSubstring("kube-controller-manager is missing"), ContainSubstring("unset KUBEBUILDER_ASSETS"))))
		})
	})

	It("takes another port when somebody was faster", func(ctx SpecContext) {
		built := builtPrograms(ctx)
		assets := GinkgoT().TempDir()
		mark := filepath.Join(assets, "mark")
		for _, name := range []string{"etcd", "kubectl"} {
			Expect(os.Symlink(filepath.Join(built, name), filepath.Join(assets, name))).To(Succeed())
		}
		script(assets, "kube-apiserver", fmt.Sprintf(`if ! test -e %[1]s; then
			touch %[1]s
			echo "failed to listen on 127.0.0.1:1: bind: address already in use" >&2
			exit 1
		fi
		exec %s/kube-apiserver "$@"`, mark, built))
		GinkgoT().Setenv("KUBEBUILDER_ASSETS", assets)

		c, err := cluster.Start(ctx, cluster.Options{})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(c.Stop)
		Expect(mark).To(BeARegularFile())
		Expect(names(c.Processes())).To(Equal([]string{"etcd", "kube-apiserver"}))
		_, err = c.Kubectl(ctx, "get", "namespaces")
		Expect(err).NotTo(HaveOccurred())
	})

	It("says which CRDs it could not install", func(ctx SpecContext) {
		_, err := cluster.Start(ctx, cluster.Options{CRDPaths: []string{"testdata/none"}})
		Expect(err).To(MatchError(ContainSubstring("testdata/none")))
		Expect(filepath.Glob(filepath.Join(temporary, "rostra-cluster-*"))).To(BeEmpty())
	})

	It("says what to do outside the repository", func(ctx SpecContext) {
		GinkgoT().Setenv("KUBEBUILDER_ASSETS", "")
		GinkgoT().Chdir(temporary)
		_, err := cluster.Start(ctx, cluster.Options{})
		Expect(err).To(MatchError(And(
			ContainSubstring("not inside the Rostra repository"), ContainSubstring("set KUBEBUILDER_ASSETS"))))
	})
})

// builtPrograms returns the directory that the suite's own cluster took its programs from.
func builtPrograms(ctx context.Context) string {
	GinkgoHelper()
	return filepath.Dir(shared.KubectlCommand(ctx).Path)
}

func script(dir, name, body string) {
	GinkgoHelper()
	Expect(os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body+"\n"), 0o700)).To(Succeed())
}

func names(processes []cluster.Process) []string {
	var all []string
	for _, p := range processes {
		all = append(all, p.Name)
	}
	return all
}

func readPID(path string) int {
	GinkgoHelper()
	content, err := os.ReadFile(path)
	Expect(err).NotTo(HaveOccurred())
	pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
	Expect(err).NotTo(HaveOccurred())
	return pid
}

// alive tells whether a process runs. One that has ended but that its new parent has not collected yet does not.
func alive(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return runtime.GOOS != "linux"
	}
	_, state, _ := bytes.Cut(stat, []byte(") "))
	return !bytes.HasPrefix(state, []byte("Z"))
}

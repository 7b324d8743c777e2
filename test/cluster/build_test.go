// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"golang.org/x/mod/modfile"
)

const controlplaneModule = "../../hack/controlplane"

var _ = Describe("The module that the programs are built from", func() {
	It("replaces every staging module with the release that belongs to its Kubernetes", func() {
		path := filepath.Join(controlplaneModule, "go.mod")
		content, err := os.ReadFile(path)
		Expect(err).NotTo(HaveOccurred())
		module, err := modfile.Parse(path, content, nil)
		Expect(err).NotTo(HaveOccurred())
		kubernetes := requirements(module)["k8s.io/kubernetes"]
		Expect(kubernetes).To(HavePrefix("v1."))
		staging := "v0." + strings.TrimPrefix(kubernetes, "v1.")
		Expect(module.Replace).NotTo(BeEmpty())
		for _, replaced := range module.Replace {
			Expect(replaced.New.Path).To(Equal(replaced.Old.Path))
			Expect(replaced.New.Version).To(Equal(staging), replaced.Old.Path)
		}
	})

	It("makes one file that is four programs, by name or by first argument", func(ctx SpecContext) {
		binary := filepath.Join(builtPrograms(ctx), "controlplane")
		if os.Getenv("KUBEBUILDER_ASSETS") != "" {
			Skip("the programs were not built from it")
		}
		for _, command := range [][]string{
			{"etcd", "--version"},
			{"kube-apiserver", "--version"},
			{"kube-controller-manager", "--version"},
			{"kubectl", "version", "--client"},
		} {
			named, err := exec.CommandContext(ctx, filepath.Join(filepath.Dir(binary), command[0]), command[1:]...).Output()
			Expect(err).NotTo(HaveOccurred(), command[0])
			Expect(string(named)).To(MatchRegexp(`\d+\.\d+\.\d+`))
			Expect(exec.CommandContext(ctx, binary, command...).Output()).To(Equal(named))
		}
		out, err := exec.CommandContext(ctx, binary, "kubelet").CombinedOutput()
		Expect(err).To(MatchError("exit status 2"))
		Expect(string(out)).To(ContainSubstring("etcd, kube-apiserver, kube-controller-manager, kubectl"))
	})
})

// These specs run the real script with a go command of their own, which "builds" in no time and counts how often.
var _ = Describe("hack/controlplane/build.sh", func() {
	var tools, cache, goOutput, gate string

	BeforeEach(func() {
		GinkgoT().Setenv("KUBEBUILDER_ASSETS", "")
		tools, cache = GinkgoT().TempDir(), GinkgoT().TempDir()
		goOutput, gate = filepath.Join(tools, "builds"), filepath.Join(tools, "gate")
		script(tools, "go", fmt.Sprintf(`case $1 in
		env) shift; for name in "$@"; do echo "test-$name"; done ;;
		list) echo "go: downloading example.com/a v1.0.0" >&2; echo a; echo b ;;
		build)
			echo "$@" >>%[1]s
			while test -e %[2]s; do sleep 0.05; done
			while test $# -gt 0; do
				if test "$1" = -o; then echo '#!/bin/sh' >"$2"; chmod +x "$2"; fi
				shift
			done ;;
		esac`, goOutput, gate))
	})

	command := func(ctx context.Context, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "sh", append([]string{filepath.Join(controlplaneModule, "build.sh")}, args...)...)
		cmd.Env = append(os.Environ(), "PATH="+tools+":"+os.Getenv("PATH"), "ROSTRA_CACHE_DIR="+cache)
		return cmd
	}
	builds := func() []string {
		content, err := os.ReadFile(goOutput)
		if os.IsNotExist(err) {
			return nil
		}
		Expect(err).NotTo(HaveOccurred())
		return strings.Split(strings.TrimSpace(string(content)), "\n")
	}
	// hold makes builds wait until release.
	hold := func() { Expect(os.WriteFile(gate, nil, 0o600)).To(Succeed()) }
	release := func() { Expect(os.Remove(gate)).To(Succeed()) }
	leftovers := func() []string {
		hidden, err := filepath.Glob(filepath.Join(cache, "controlplane", ".building.*"))
		Expect(err).NotTo(HaveOccurred())
		locks, err := filepath.Glob(filepath.Join(cache, "controlplane", "*.lock"))
		Expect(err).NotTo(HaveOccurred())
		return append(hidden, locks...)
	}

	It("prints the directory and nothing else, and builds once", func(ctx SpecContext) {
		first := command(ctx)
		progress := gbytes.NewBuffer()
		first.Stderr = progress
		out, err := first.Output()
		Expect(err).NotTo(HaveOccurred())
		dir := strings.TrimSuffix(string(out), "\n")
		Expect(filepath.Dir(dir)).To(BeADirectory())
		for _, program := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kubectl"} {
			Expect(os.Readlink(filepath.Join(dir, program))).To(Equal("controlplane"))
		}
		Expect(progress).To(gbytes.Say(`building etcd, kube-apiserver, kube-controller-manager and kubectl \(Kubernetes v1\.`))
		Expect(progress).To(gbytes.Say(`the first time takes about \d+ minutes`))
		Expect(progress).To(gbytes.Say(`ready after`))
		Expect(builds()).To(ConsistOf(MatchRegexp(`gitVersion=v1\.\d+\.\d+ .*gitMajor=1 .*gitMinor=\d+ `)))
		Expect(leftovers()).To(BeEmpty())

		second, err := command(ctx).CombinedOutput()
		Expect(err).NotTo(HaveOccurred())
		Expect(second).To(Equal(out))
		Expect(builds()).To(HaveLen(1))
	})

	It("builds once when two ask at the same time", func(ctx SpecContext) {
		hold()
		outputs := make([]*gbytes.Buffer, 2)
		commands := make([]*exec.Cmd, 2)
		for i := range commands {
			commands[i], outputs[i] = command(ctx), gbytes.NewBuffer()
			commands[i].Stdout, commands[i].Stderr = gbytes.NewBuffer(), outputs[i]
			Expect(commands[i].Start()).To(Succeed())
			if i == 0 {
				Eventually(builds).Should(HaveLen(1))
			}
		}
		Eventually(outputs[1]).Should(gbytes.Say("another process is building"))
		release()
		for i := range commands {
			Expect(commands[i].Wait()).To(Succeed())
		}
		Expect(commands[0].Stdout.(*gbytes.Buffer).Contents()).To(Equal(commands[1].Stdout.(*gbytes.Buffer).Contents()))
		Expect(builds()).To(HaveLen(1))
		Expect(leftovers()).To(BeEmpty())
	})

	It("is not held up by a build that was killed", func(ctx SpecContext) {
		hold()
		victim := command(ctx)
		Expect(victim.Start()).To(Succeed())
		Eventually(builds).Should(HaveLen(1))
		Expect(victim.Process.Kill()).To(Succeed())
		Expect(victim.Wait()).NotTo(Succeed())
		release()
		Expect(leftovers()).NotTo(BeEmpty())

		out, err := command(ctx).Output()
		Expect(err).NotTo(HaveOccurred())
		Expect(filepath.Join(strings.TrimSpace(string(out)), "kubectl")).To(BeARegularFile())
		Expect(builds()).To(HaveLen(2))
	})

	It("tidies up when it is interrupted", func(ctx SpecContext) {
		hold()
		DeferCleanup(release) // lets the orphaned go command end
		interrupted := command(ctx)
		Expect(interrupted.Start()).To(Succeed())
		Eventually(builds).Should(HaveLen(1))
		Expect(interrupted.Process.Signal(syscall.SIGTERM)).To(Succeed())
		Expect(interrupted.Wait()).To(MatchError("exit status 143"))
		Expect(leftovers()).To(BeEmpty())
	})

	It("says why a build failed, and leaves nothing that looks complete", func(ctx SpecContext) {
		script(tools, "go", `case $1 in
		env) echo x ;;
		list) echo a ;;
		build) echo k8s.io/api >&2; echo "link: no space left on device" >&2; exit 1 ;;
		esac`)
		cmd := command(ctx)
		progress := gbytes.NewBuffer()
		cmd.Stderr = progress
		out, err := cmd.Output()
		Expect(err).To(MatchError("exit status 1"))
		Expect(out).To(BeEmpty())
		Expect(progress).To(gbytes.Say("no space left on device"))
		Expect(string(progress.Contents())).NotTo(ContainSubstring("k8s.io/api\n"))
		Expect(os.ReadDir(filepath.Join(cache, "controlplane"))).To(BeEmpty())
	})

	Context("with KUBEBUILDER_ASSETS", func() {
		var assets string

		BeforeEach(func() {
			assets = GinkgoT().TempDir()
			GinkgoT().Setenv("KUBEBUILDER_ASSETS", assets)
			script(assets, "etcd", "")
			script(assets, "kube-apiserver", "")
		})

		It("names what the directory lacks", func(ctx SpecContext) {
			out, err := command(ctx).CombinedOutput()
			Expect(err).To(MatchError("exit status 1"))
			Expect(string(out)).To(ContainSubstring("which lacks: kubectl."))
		})

		It("prints the directory, which needs a controller manager only when asked", func(ctx SpecContext) {
			script(assets, "kubectl", "")
			Expect(command(ctx).Output()).To(BeEquivalentTo(assets + "\n"))
			out, err := command(ctx, "--with-controller-manager").CombinedOutput()
			Expect(err).To(MatchError("exit status 1"))
			Expect(string(out)).To(ContainSubstring("which lacks: kube-controller-manager."))
			Expect(builds()).To(BeEmpty())
		})
	})

	It("refuses an argument that it does not know", func(ctx SpecContext) {
		out, err := command(ctx, "--fast").CombinedOutput()
		Expect(err).To(MatchError("exit status 2"))
		Expect(string(out)).To(ContainSubstring("Usage:"))
	})
})

func requirements(module *modfile.File) map[string]string {
	versions := map[string]string{}
	for _, required := range module.Require {
		versions[required.Mod.Path] = required.Mod.Version
	}
	return versions
}

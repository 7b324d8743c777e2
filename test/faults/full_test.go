// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package faults_test

import (
	"context"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// ownMounts run a shell with mounts of its own, without the rights of root.
func ownMounts() []string {
	return []string{"unshare", "--user", "--map-root-user", "--mount", "sh", "-c"}
}

// onSmallDisk is a shell script that runs a program on a small disk, for a while
// again on the same disk, then with more room, and then its audit.
const onSmallDisk = `mount -t tmpfs -o size=12m none "$0" || exit 1
"$@"
timeout -s KILL 3 "$@"
mount -o remount,size=512m "$0" || exit 1
"$@"
exec "$@" -audit
`

var _ = Describe("A disk that is full", func() {
	It("is told, refused upstream so that the platform sends again, and nothing is acknowledged that is not stored", Label("slow", "faults"), func(ctx SpecContext) {
		try := append(ownMounts(), `mount -t tmpfs none "$0"`, GinkgoT().TempDir())
		if out, err := exec.CommandContext(ctx, try[0], try[1:]...).CombinedOutput(); err != nil {
			Skip("a user may not mount anything here, which a small disk needs: " + string(out))
		}
		const pages = 3000
		people := newTruth()
		dir := GinkgoT().TempDir()
		w := newWorker(ctx, "alone", people, pages, []time.Duration{time.Hour}, "-dir", dir)
		w.args = slices.Concat(ownMounts(), []string{onSmallDisk, dir}, w.args)
		w.run(ctx)
		platform := startLoad(ctx, 300, 0, pages, w.gateway)

		Eventually(platform.answered).WithContext(ctx).WithArguments(http.StatusServiceUnavailable).Should(BeNumerically(">", 10*senders))
		before := platform.acknowledged()
		refused := platform.answered(http.StatusServiceUnavailable)
		Eventually(platform.answered).WithContext(ctx).WithArguments(http.StatusServiceUnavailable).Should(BeNumerically(">", refused+10*senders))
		Expect(platform.acknowledged()).To(Equal(before), "nothing is accepted while the disk is full")
		status, err := w.ask(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(status.Ready).To(ContainSubstring("the disk under " + dir + "/nats is full: make room and restart"))
		Expect(w.said()).To(And(ContainSubstring("Events could not be stored"), ContainSubstring("full")))

		// It is started again on the full disk, as whoever looks after it would, and
		// only then there is room.
		w.killed(status.PID)
		Eventually(platform.acknowledged).WithContext(ctx).Should(BeNumerically(">", before+500))
		platform.end()
		untilTold(ctx, platform, people, w)

		balance := balance("a disk of 12 MiB that is full, kill -9, a start on the full disk, more room", platform, w.endOfScript(ctx), people, w)
		balance.print()
		Expect(balance.lost).To(BeZero())
		Expect(balance.storedTwice).To(BeZero())
		Expect(balance.unlike).To(BeZero(), "told again under another ID")
		Expect(balance.strange).To(BeEmpty())
	}, SpecTimeout(5*time.Minute))
})

// killed kills the process that runs in a script, so that the script goes on.
func (w *worker) killed(pid int) {
	GinkgoHelper()
	w.kills = append(w.kills, time.Now())
	Expect(syscall.Kill(pid, syscall.SIGKILL)).To(Succeed())
}

// endOfScript kills the process that runs in a script, and gives the audit that
// comes after it.
func (w *worker) endOfScript(ctx context.Context) []string {
	GinkgoHelper()
	status, err := w.ask(ctx)
	Expect(err).NotTo(HaveOccurred())
	w.killed(status.PID)
	Eventually(w.process.Ended()).WithTimeout(2 * time.Minute).Should(BeClosed())
	Expect(w.process.Err()).To(Succeed(), w.tail())
	return strings.Fields(w.stdout.String())
}

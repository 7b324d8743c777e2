// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/test/child"
)

const (
	childDir   = "ROSTRA_INBOX_TEST_DIR"
	childRound = "ROSTRA_INBOX_TEST_ROUND"
	childLimit = "ROSTRA_INBOX_TEST_FILE_LIMIT"

	childCallers = 32
)

// putUntilKilled puts events into an inbox and names on standard output each
// one that was acknowledged. It ends on its own at an error alone.
func putUntilKilled(dir string) int {
	round, _ := strconv.Atoi(os.Getenv(childRound))
	if limit, err := strconv.ParseUint(os.Getenv(childLimit), 10, 64); err == nil {
		signal.Ignore(syscall.SIGXFSZ)
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
	}
	i, err := inbox.Open(context.Background(), inbox.Options{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	var mu sync.Mutex
	var callers sync.WaitGroup
	for caller := range childCallers {
		callers.Go(func() {
			for n := 0; ; n++ {
				e := mention(caller, round*1_000_000+n)
				if n%10 == 9 { // now and then a duplicate, which refuses a batch
					e = mention(caller, round*1_000_000+n-1)
				}
				err := i.Put(context.Background(), e)
				mu.Lock()
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					mu.Unlock()
					return
				}
				_, _ = fmt.Println(e.ChannelUID, e.ID)
				mu.Unlock()
			}
		})
	}
	callers.Wait()
	if err := i.Ready(); err != nil {
		fmt.Fprintln(os.Stderr, "not ready:", err)
	}
	return 1
}

// run starts the child and calls each for every event that it was told is
// stored. It returns what the child said of errors.
func run(dir string, env []string, each func(kill func())) (acknowledged []string, complaints string) {
	GinkgoHelper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), childDir+"="+dir), env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	reader, writer, err := os.Pipe()
	Expect(err).NotTo(HaveOccurred())
	cmd.Stdout = writer
	process, err := child.Start(cmd, syscall.SIGKILL)
	Expect(err).NotTo(HaveOccurred())
	Expect(writer.Close()).To(Succeed())
	lines := bufio.NewScanner(reader)
	for lines.Scan() {
		acknowledged = append(acknowledged, lines.Text())
		each(func() { _ = cmd.Process.Kill() })
	}
	Expect(reader.Close()).To(Succeed())
	Eventually(process.Ended()).Should(BeClosed())
	return acknowledged, stderr.String()
}

// stored gives how often each event is in a store.
func stored(dir string) map[string]int {
	GinkgoHelper()
	i := open(dir)
	// An event behind all others, in every channel.
	for channel := range childCallers {
		e := mention(channel, -1)
		e.ID = "last"
		Expect(i.Put(context.Background(), e)).To(Succeed())
	}
	counts := make(map[string]int)
	var mu sync.Mutex
	lasts := 0
	stop := consume(i, "ledger", inbox.Filter{}, func(_ context.Context, e event.Event) error {
		mu.Lock()
		defer mu.Unlock()
		if e.ID == "last" {
			lasts++
		}
		counts[e.ChannelUID+" "+e.ID]++
		return nil
	})
	Eventually(func() int { mu.Lock(); defer mu.Unlock(); return lasts }).WithTimeout(2 * time.Minute).Should(Equal(childCallers))
	stop()
	Expect(i.Close()).To(Succeed())
	return counts
}

// ledger compares what was acknowledged with what is there.
func ledger(acknowledged []string, counts map[string]int) (lost, doubled int) {
	for _, id := range acknowledged {
		if counts[id] == 0 {
			lost++
		}
	}
	for _, count := range counts {
		if count > 1 {
			doubled++
		}
	}
	return lost, doubled
}

var _ = Describe("A process with an inbox", func() {
	It("may be killed under load and loses nothing that it acknowledged", Label("slow"), func() {
		dir := GinkgoT().TempDir()
		var all []string
		for round := range 5 {
			count := 0
			acknowledged, complaints := run(dir, []string{childRound + "=" + strconv.Itoa(round)}, func(kill func()) {
				if count++; count == 1500 {
					kill()
				}
			})
			Expect(complaints).To(BeEmpty())
			Expect(len(acknowledged)).To(BeNumerically(">=", 1500))
			all = append(all, acknowledged...)
		}
		counts := stored(dir)
		lost, doubled := ledger(all, counts)
		AddReportEntry("ledger", fmt.Sprintf("5 × kill -9: %d acknowledgements, %d events stored, %d lost, %d doubled", len(all), len(counts), lost, doubled))
		Expect(lost).To(BeZero())
		Expect(doubled).To(BeZero())
	})

	It("acknowledges nothing that the disk refused, and says that it is not ready", Label("slow"), func() {
		dir := GinkgoT().TempDir()
		// The disk's refusal in the middle of a file stands for a full disk.
		acknowledged, complaints := run(dir, []string{childLimit + "=1000000"}, func(func()) {})
		Expect(complaints).To(ContainSubstring("not ready: " + inbox.ErrUnavailable.Error()))
		Expect(complaints).To(ContainSubstring(syscall.EFBIG.Error()))
		Expect(len(acknowledged)).To(BeNumerically(">", 500))
		counts := stored(dir)
		lost, doubled := ledger(acknowledged, counts)
		AddReportEntry("ledger", fmt.Sprintf("refused by the disk: %d acknowledgements, %d events stored, %d lost, %d doubled", len(acknowledged), len(counts), lost, doubled))
		Expect(lost).To(BeZero())
		Expect(doubled).To(BeZero())
	})
})

// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox_test

import (
	"bufio"
	"context"
	"errors"
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
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/test/child"
)

const (
	childDir   = "ROSTRA_INBOX_TEST_DIR"
	childRound = "ROSTRA_INBOX_TEST_ROUND"
	childLimit = "ROSTRA_INBOX_TEST_FILE_LIMIT"
	childWork  = "ROSTRA_INBOX_TEST_WORK" // events by default

	childCallers = 32
)

// workUntilKilled opens an inbox and puts events into it, or whatever childWork
// says. It names on standard output everything that was acknowledged, and ends on
// its own at an error alone.
func workUntilKilled(dir string) int {
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
	switch os.Getenv(childWork) {
	case "rows":
		err = putRowsUntilKilled(i, round)
	case "letters":
		err = sendUntilKilled(i, round)
	default:
		putUntilKilled(i, round)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err := i.Ready(); err != nil {
		fmt.Fprintln(os.Stderr, "not ready:", err)
	}
	return 1
}

// putRowsUntilKilled makes rows, and counts in rows that there are.
func putRowsUntilKilled(i *inbox.Inbox, round int) error {
	ctx := context.Background()
	t, err := i.Table(ctx, inbox.TableOptions{Name: "rows"})
	if err != nil {
		return err
	}
	var callers errgroup.Group
	for caller := range childCallers {
		callers.Go(func() error {
			counter := fmt.Sprintf("counter-%d", caller)
			row, err := t.Get(ctx, counter)
			if err != nil && !errors.Is(err, inbox.ErrNoRow) {
				return err
			}
			count, _ := strconv.Atoi(string(row.Value))
			for n := 0; ; n++ {
				var keep time.Duration
				if n%2 == 1 { // now and then it would vanish in time
					keep = time.Hour
				}
				count++
				if row.Revision, err = t.Put(ctx, counter, []byte(strconv.Itoa(count)), row.Revision, keep); err != nil {
					return err
				}
				_, _ = fmt.Printf("%s %d\n", counter, count)
				key := fmt.Sprintf("row-%d-%d-%d", round, caller, n)
				revision, err := t.Put(ctx, key, []byte(key), 0, 0)
				if err != nil {
					return err
				}
				if n%10 == 9 {
					if err := t.Delete(ctx, key, revision); err != nil {
						return err
					}
					key += " deleted"
				}
				_, _ = fmt.Println(key)
			}
		})
	}
	return callers.Wait()
}

// sendUntilKilled adds letters, and delivers them meanwhile.
func sendUntilKilled(i *inbox.Inbox, round int) error {
	ctx := context.Background()
	b, err := i.Outbox(ctx, inbox.OutboxOptions{Name: "box"})
	if err != nil {
		return err
	}
	var callers errgroup.Group
	for caller := range childCallers {
		callers.Go(func() error {
			for n := 0; ; n++ {
				id := fmt.Sprintf("%d-%d-%d", caller, round, n)
				if err := b.Add(ctx, "lane", strconv.Itoa(caller), id, nil); err != nil {
					return err
				}
				_, _ = fmt.Println("added", id)
			}
		})
	}
	callers.Go(func() error {
		return b.Deliver(ctx, "lane", func(_ context.Context, letter inbox.Letter) error {
			_, _ = fmt.Println("delivered", letter.ID)
			return nil
		})
	})
	return callers.Wait()
}

func putUntilKilled(i *inbox.Inbox, round int) {
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

// killed runs the child several times, and kills it each time after so many
// lines.
func killed(dir, work string, rounds, lines int) (acknowledged []string) {
	GinkgoHelper()
	for round := range rounds {
		count := 0
		said, complaints := run(dir, []string{childWork + "=" + work, childRound + "=" + strconv.Itoa(round)}, func(kill func()) {
			count++
			if count == lines {
				kill()
			}
		})
		Expect(complaints).To(BeEmpty())
		Expect(len(said)).To(BeNumerically(">=", lines))
		acknowledged = append(acknowledged, said...)
	}
	return acknowledged
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

// rowsLost compares what was acknowledged with the rows that there are.
func rowsLost(dir string, acknowledged []string, rounds int) (count, lost int) {
	GinkgoHelper()
	t := tableOf(open(dir))
	s, _ := follow(t)
	Eventually(s.inStep).Should(Equal(1))
	rows := s.picture()
	counted := map[string]int{}
	for _, line := range acknowledged {
		key, what, _ := strings.Cut(line, " ")
		_, there := rows[key]
		switch {
		case strings.HasPrefix(key, "counter"):
			counted[key], _ = strconv.Atoi(what)
		case there != (what != "deleted"), there && rows[key] != key:
			lost++
		}
	}
	Expect(counted).To(HaveLen(childCallers))
	for key, count := range counted {
		value, err := strconv.Atoi(rows[key])
		Expect(err).NotTo(HaveOccurred())
		// What was stored and not acknowledged is one step a kill.
		Expect(value).To(And(BeNumerically(">=", count), BeNumerically("<=", count+rounds)))
	}
	return len(rows), lost
}

var _ = Describe("A process with an inbox", func() {
	It("may be killed under load and loses nothing that it acknowledged", Label("slow"), func() {
		dir := GinkgoT().TempDir()
		all := killed(dir, "", 5, 1500)
		counts := stored(dir)
		lost, doubled := ledger(all, counts)
		AddReportEntry("ledger", fmt.Sprintf("5 × kill -9: %d acknowledgements, %d events stored, %d lost, %d doubled", len(all), len(counts), lost, doubled))
		Expect(lost).To(BeZero())
		Expect(doubled).To(BeZero())
	})

	It("may be killed while it writes rows, and has all that it acknowledged", Label("slow"), func() {
		dir := GinkgoT().TempDir()
		const rounds = 3
		all := killed(dir, "rows", rounds, 1500)
		rows, lost := rowsLost(dir, all, rounds)
		AddReportEntry("ledger", fmt.Sprintf("%d × kill -9: %d acknowledgements, %d rows, %d lost", rounds, len(all), rows, lost))
		Expect(lost).To(BeZero())
	})

	It("acknowledges no row that the disk refused", Label("slow"), func() {
		dir := GinkgoT().TempDir()
		acknowledged, complaints := run(dir, []string{childWork + "=rows", childLimit + "=1000000"}, func(func()) {})
		Expect(complaints).To(ContainSubstring("not ready: " + inbox.ErrUnavailable.Error()))
		Expect(len(acknowledged)).To(BeNumerically(">", 500))
		rows, lost := rowsLost(dir, acknowledged, 1)
		AddReportEntry("ledger", fmt.Sprintf("refused by the disk: %d acknowledgements, %d rows, %d lost", len(acknowledged), rows, lost))
		Expect(lost).To(BeZero())
	})

	It("may be killed while it delivers letters, and delivers all that it took", Label("slow"), func() {
		dir := GinkgoT().TempDir()
		const rounds = 3
		added, delivered := map[string]bool{}, map[string]int{}
		for _, line := range killed(dir, "letters", rounds, 2000) {
			what, id, _ := strings.Cut(line, " ")
			if what == "added" {
				added[id] = true
			} else {
				delivered[id]++
			}
		}
		b := outboxOf(open(dir))
		var m mailbox
		deliver(b, "lane", m.handle)
		Eventually(func() int64 { count, _, _ := b.Waiting(context.Background(), "lane"); return count }).Should(BeZero())
		for _, id := range m.ids("") {
			delivered[id]++
		}
		lost, doubled := 0, 0
		for id := range added {
			if delivered[id] == 0 {
				lost++
			}
		}
		for _, count := range delivered {
			doubled += count - 1
		}
		AddReportEntry("ledger", fmt.Sprintf("%d × kill -9: %d letters acknowledged, %d delivered, %d lost, %d handed out again", rounds, len(added), len(delivered), lost, doubled))
		Expect(lost).To(BeZero())
		Expect(doubled).To(BeNumerically("<=", 4*rounds), "one under way in each quarter of the lane, a kill")
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

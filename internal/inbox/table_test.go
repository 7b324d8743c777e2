// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/inbox"
)

// tableOf opens a table of an inbox.
func tableOf(i *inbox.Inbox, changes ...func(*inbox.TableOptions)) *inbox.Table {
	GinkgoHelper()
	options := inbox.TableOptions{Name: "rows"}
	for _, change := range changes {
		change(&options)
	}
	t, err := i.Table(context.Background(), options)
	Expect(err).NotTo(HaveOccurred())
	return t
}

// seen is what a follower was told.
type seen struct {
	mu     sync.Mutex
	rows   []inbox.Row
	synced int // how many rows there were when it was in step, plus 1
	syncs  int
}

func (s *seen) row(row inbox.Row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows = append(s.rows, row)
}

func (s *seen) sync() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.synced = len(s.rows) + 1
	s.syncs++
}

// inStep tells how often synced was called.
func (s *seen) inStep() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.syncs
}

// told gives what was told, "key=value" or "key gone", in order.
func (s *seen) told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	told := []string{}
	for n, row := range s.rows {
		if n+1 == s.synced {
			told = append(told, "synced")
		}
		if row.Gone {
			told = append(told, row.Key+" gone")
		} else {
			told = append(told, row.Key+"="+string(row.Value))
		}
	}
	if s.synced == len(s.rows)+1 {
		told = append(told, "synced")
	}
	return told
}

// picture is what a follower knows after all that it was told.
func (s *seen) picture() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	picture := map[string]string{}
	for _, row := range s.rows {
		if row.Gone {
			delete(picture, row.Key)
		} else {
			picture[row.Key] = string(row.Value)
		}
	}
	return picture
}

// follow follows a table until the spec ends or the returned function is called.
func follow(t *inbox.Table) (*seen, func()) {
	s := &seen{}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- t.Follow(ctx, s.row, s.sync) }()
	stop := sync.OnceFunc(func() {
		defer GinkgoRecover()
		cancel()
		Eventually(ended).Should(Receive(Or(BeNil(), MatchError(inbox.ErrUnavailable))))
	})
	DeferCleanup(stop)
	return s, stop
}

// put stores a row that must be stored.
func put(t *inbox.Table, key, value string, revision uint64, keep ...time.Duration) uint64 {
	GinkgoHelper()
	revision, err := t.Put(context.Background(), key, []byte(value), revision, append(keep, 0)[0])
	Expect(err).NotTo(HaveOccurred())
	return revision
}

var _ = Describe("A table", func() {
	var (
		ctx context.Context
		dir string
		i   *inbox.Inbox
		t   *inbox.Table
	)
	BeforeEach(func() {
		ctx = context.Background()
		dir = GinkgoT().TempDir()
		i = open(dir)
		t = tableOf(i)
	})
	reopen := func() {
		GinkgoHelper()
		Expect(i.Close()).To(Succeed())
		i = open(dir)
		t = tableOf(i)
	}
	value := func(key string) func() (string, error) {
		return func() (string, error) {
			row, err := t.Get(ctx, key)
			return string(row.Value), err
		}
	}
	gone := func(key string) func() error {
		return func() error { _, err := t.Get(ctx, key); return err }
	}

	It("gives what was put, and takes a change only of the revision that there is", func() {
		_, err := t.Get(ctx, "a")
		Expect(err).To(MatchError(inbox.ErrNoRow))
		first := put(t, "a", "1", 0)
		row, err := t.Get(ctx, "a")
		Expect(err).NotTo(HaveOccurred())
		Expect(row).To(Equal(inbox.Row{Key: "a", Value: []byte("1"), Revision: first}))

		for _, revision := range []uint64{0, first + 1} {
			_, err = t.Put(ctx, "a", []byte("1"), revision, 0)
			Expect(err).To(MatchError(inbox.ErrConflict), "the same value is no excuse")
		}
		_, err = t.Put(ctx, "b", []byte("1"), first, 0)
		Expect(err).To(MatchError(inbox.ErrConflict))
		second := put(t, "a", "2", first)
		Expect(second).To(BeNumerically(">", first))
		_, err = t.Put(ctx, "a", []byte("3"), first, 0)
		Expect(err).To(MatchError(inbox.ErrConflict))
		Expect(value("a")()).To(Equal("2"))

		put(t, "empty", "", 0)
		Expect(value("empty")()).To(BeEmpty())
	})

	It("counts each of many contenders' steps once", func() {
		const writers, steps = 8, 25
		var group sync.WaitGroup
		var conflicts sync.Map
		for writer := range writers {
			group.Go(func() {
				defer GinkgoRecover()
				for step := 0; step < steps; {
					row, err := t.Get(ctx, "counter")
					Expect(err).To(Or(BeNil(), MatchError(inbox.ErrNoRow)))
					count, _ := strconv.Atoi(string(row.Value))
					_, err = t.Put(ctx, "counter", []byte(strconv.Itoa(count+1)), row.Revision, 0)
					if errors.Is(err, inbox.ErrConflict) {
						conflicts.Store(writer, true)
						continue
					}
					Expect(err).NotTo(HaveOccurred())
					step++
				}
			})
		}
		group.Wait()
		Expect(value("counter")()).To(Equal(strconv.Itoa(writers * steps)))
		contended := false
		conflicts.Range(func(any, any) bool { contended = true; return false })
		Expect(contended).To(BeTrue(), "there was nothing to contend for")
	})

	It("gathers many callers' rows, and gives each its own revision and answer", func() {
		const callers, rows = 64, 10
		stale := put(t, "stale", "1", 0)
		put(t, "stale", "2", stale)
		revisions := make([]map[string]uint64, callers)
		var group sync.WaitGroup
		for caller := range callers {
			revisions[caller] = map[string]uint64{}
			group.Go(func() {
				defer GinkgoRecover()
				for n := range rows {
					key := fmt.Sprintf("%d-%d", caller, n)
					revision, err := t.Put(ctx, key, []byte(key), 0, 0)
					Expect(err).NotTo(HaveOccurred())
					if revisions[caller][key], err = t.Put(ctx, key, []byte(key+"!"), revision, 0); caller%16 == 0 {
						_, wrong := t.Put(ctx, "stale", nil, stale, 0) // refuses a batch
						Expect(wrong).To(MatchError(inbox.ErrConflict))
					}
					Expect(err).NotTo(HaveOccurred())
				}
			})
		}
		group.Wait()
		for caller := range callers {
			for key, revision := range revisions[caller] {
				Expect(t.Get(ctx, key)).To(Equal(inbox.Row{Key: key, Value: []byte(key + "!"), Revision: revision}))
			}
		}
		Expect(value("stale")()).To(Equal("2"))
	})

	It("lets a row be made anew after it was deleted", func() {
		first := put(t, "a", "1", 0)
		Expect(t.Delete(ctx, "a", first+1)).To(MatchError(inbox.ErrConflict))
		Expect(t.Delete(ctx, "a", 0)).To(MatchError(inbox.ErrInvalid))
		Expect(t.Delete(ctx, "a", first)).To(Succeed())
		Expect(t.Delete(ctx, "a", first)).To(Succeed(), "it is gone")
		Expect(gone("a")()).To(MatchError(inbox.ErrNoRow))
		_, err := t.Put(ctx, "a", []byte("2"), first, 0)
		Expect(err).To(MatchError(inbox.ErrConflict))
		second := put(t, "a", "2", 0)
		Expect(second).To(BeNumerically(">", first))
		_, err = t.Put(ctx, "a", []byte("3"), 0, 0)
		Expect(err).To(MatchError(inbox.ErrConflict))
		Expect(value("a")()).To(Equal("2"))
	})

	It("lets a row vanish in time, and be made anew after", func() {
		first := put(t, "a", "1", 0, time.Millisecond) // a second is the least
		row, err := t.Get(ctx, "a")
		Expect(err).NotTo(HaveOccurred())
		Expect(time.Until(row.Expires)).To(BeNumerically("~", 500*time.Millisecond, 500*time.Millisecond))
		stays := put(t, "b", "1", 0, time.Second)
		stays = put(t, "b", "2", stays) // without an end now
		Eventually(gone("a")).Should(MatchError(inbox.ErrNoRow))
		// Now the server may have it still, or not.
		second := put(t, "a", "2", 0)
		_, err = t.Put(ctx, "a", []byte("3"), first, 0)
		Expect(err).To(MatchError(inbox.ErrConflict))
		// And now the server has removed what has expired.
		put(t, "c", "1", 0, time.Second)
		Eventually(func() int64 { rows, _, _ := t.Size(ctx); return rows }).Should(BeEquivalentTo(2))
		put(t, "c", "2", 0)
		Expect(t.Get(ctx, "a")).To(Equal(inbox.Row{Key: "a", Value: []byte("2"), Revision: second}))
		Expect(t.Get(ctx, "b")).To(Equal(inbox.Row{Key: "b", Value: []byte("2"), Revision: stays}))
	})

	It("keeps rows, revisions and ends across a restart", func() {
		kept := put(t, "kept", "1", 0)
		put(t, "soon", "1", 0, 2*time.Second)
		deleted := put(t, "deleted", "1", 0)
		Expect(t.Delete(ctx, "deleted", deleted)).To(Succeed())
		later := put(t, "later", "1", 0, time.Hour)
		before, err := t.Get(ctx, "later")
		Expect(err).NotTo(HaveOccurred())
		reopen()
		Expect(t.Get(ctx, "later")).To(Equal(before))
		Expect(gone("deleted")()).To(MatchError(inbox.ErrNoRow))
		Eventually(func() int64 { rows, _, _ := t.Size(ctx); return rows }).Should(BeEquivalentTo(3), "the mark of the deleted one counts")
		Expect(gone("soon")()).To(MatchError(inbox.ErrNoRow))
		put(t, "kept", "2", kept)
		put(t, "later", "2", later)
		put(t, "soon", "2", 0)
		put(t, "deleted", "2", 0)
		reopen()
		for _, key := range []string{"kept", "later", "soon", "deleted"} {
			Expect(value(key)()).To(Equal("2"))
		}
	})

	It("refuses new rows at its limit, still takes changes, and loses nothing", func() {
		t = tableOf(i, func(o *inbox.TableOptions) { o.Name, o.MaxBytes, o.MaxValue = "small", 1<<20, 8<<10 })
		revisions := map[string]uint64{}
		large := strings.Repeat("x", 7<<10)
		var err error
		for n := 0; ; n++ {
			key := fmt.Sprintf("key-%d", n)
			var revision uint64
			if revision, err = t.Put(ctx, key, []byte(large), 0, 0); err != nil {
				break
			}
			revisions[key] = revision
		}
		Expect(err).To(MatchError(inbox.ErrFull))
		Expect(len(revisions)).To(BeNumerically("~", 95, 4), "two thirds of the room")
		Expect(i.Ready()).To(Succeed())

		// All of them grow, many at once, and are larger than the reserve together.
		changed := strings.Repeat("y", 7<<10+512)
		var group sync.WaitGroup
		for key, revision := range revisions {
			group.Go(func() {
				defer GinkgoRecover()
				put(t, key, changed, revision)
			})
		}
		group.Wait()
		_, err = t.Put(ctx, "new", []byte(large), 0, 0)
		Expect(err).To(MatchError(inbox.ErrFull))
		for key := range revisions {
			Expect(value(key)()).To(Equal(changed))
		}
		for n := range 20 {
			row, err := t.Get(ctx, fmt.Sprint("key-", n))
			Expect(err).NotTo(HaveOccurred())
			Expect(t.Delete(ctx, row.Key, row.Revision)).To(Succeed())
		}
		put(t, "new", large[:4<<10], 0)
	})

	It("keeps room for rows to end and to shrink when they can grow no more", func() {
		t = tableOf(i, func(o *inbox.TableOptions) { o.Name, o.MaxBytes, o.MaxValue = "small", 1<<20, 64<<10 })
		revisions := map[string]uint64{}
		var err error
		for n := 0; ; n++ {
			key := fmt.Sprintf("key-%d", n)
			var revision uint64
			if revision, err = t.Put(ctx, key, make([]byte, 16<<10), 0, 0); err != nil {
				break
			}
			revisions[key] = revision
		}
		Expect(err).To(MatchError(inbox.ErrFull))
		refused := 0
		for key, revision := range revisions {
			changed, err := t.Put(ctx, key, make([]byte, 48<<10), revision, 0)
			if err != nil {
				Expect(err).To(MatchError(inbox.ErrFull))
				refused++
				continue
			}
			revisions[key] = changed
		}
		Expect(refused).To(BeNumerically(">", 10))
		for key, revision := range revisions {
			changed := put(t, key, strings.Repeat("x", 16<<10), revision, time.Hour)
			changed = put(t, key, strings.Repeat("x", 1<<10), changed)
			Expect(t.Delete(ctx, key, changed)).To(Succeed())
		}
		put(t, "new", strings.Repeat("x", 48<<10), 0)
	})

	It("asks for its size once for many at the same time, and takes what it was told for a moment", func() {
		t = tableOf(i, func(o *inbox.TableOptions) { o.Name, o.MaxBytes = "small", 1<<20 })
		for n, err := 0, error(nil); err == nil; n++ {
			_, err = t.Put(ctx, fmt.Sprint("row-", n), make([]byte, 32<<10), 0, 0)
		}
		var group sync.WaitGroup
		for caller := range 200 {
			group.Go(func() {
				defer GinkgoRecover()
				_, err := t.Put(ctx, fmt.Sprint("more-", caller), make([]byte, 32<<10), 0, 0)
				Expect(err).To(MatchError(inbox.ErrFull))
			})
		}
		group.Wait()
	})

	It("refuses what it cannot keep", func() {
		for _, key := range []string{"", "a.b", "*", ">", "a b", "a\r\n", "ä", strings.Repeat("a", 65)} {
			_, err := t.Put(ctx, key, nil, 0, 0)
			Expect(err).To(MatchError(inbox.ErrInvalid))
			_, err = t.Get(ctx, key)
			Expect(err).To(MatchError(inbox.ErrInvalid))
			Expect(t.Delete(ctx, key, 1)).To(MatchError(inbox.ErrInvalid))
		}
		put(t, strings.Repeat("aZ0_-9zA", 8), strings.Repeat("x", 64<<10), 0)
		_, err := t.Put(ctx, "a", make([]byte, 64<<10+1), 0, 0)
		Expect(err).To(MatchError(inbox.ErrInvalid))
		_, err = t.Put(ctx, "a", nil, 0, -1)
		Expect(err).To(MatchError(inbox.ErrInvalid))
		for _, options := range []inbox.TableOptions{
			{},
			{Name: "A"},
			{Name: "a.b"},
			{Name: strings.Repeat("a", 33)},
			{Name: "a", MaxBytes: 1},
			{Name: "a", MaxValue: 1 << 20},
			{Name: "a", MaxValue: -1},
		} {
			_, err := i.Table(ctx, options)
			Expect(err).To(HaveOccurred())
		}
	})

	It("ends with the caller's context, and when the inbox is closed", func() {
		put(t, "a", "1", 0)
		over, cancel := context.WithCancel(ctx)
		cancel()
		_, err := t.Put(over, "b", nil, 0, 0)
		Expect(err).To(Or(BeNil(), MatchError(context.Canceled)))
		_, err = t.Get(over, "a")
		Expect(err).To(MatchError(context.Canceled))
		ended := make(chan error, 1)
		s := &seen{}
		go func() { ended <- t.Follow(ctx, s.row, s.sync) }()
		Eventually(s.inStep).Should(Equal(1))
		Expect(i.Close()).To(Succeed())
		Eventually(ended).Should(Receive(MatchError(inbox.ErrUnavailable)))
		_, err = t.Put(ctx, "a", nil, 0, 0)
		Expect(err).To(MatchError(inbox.ErrUnavailable))
		_, err = t.Get(ctx, "a")
		Expect(err).To(MatchError(inbox.ErrUnavailable))
		Expect(t.Delete(ctx, "a", 1)).To(MatchError(inbox.ErrUnavailable))
		Expect(t.Follow(ctx, s.row, s.sync)).To(MatchError(inbox.ErrUnavailable))
		_, err = i.Table(ctx, inbox.TableOptions{Name: "other"})
		Expect(err).To(MatchError(inbox.ErrUnavailable))
	})

	It("does not begin anew where its store cannot be read", func() {
		put(t, "a", "1", 0)
		Expect(i.Close()).To(Succeed())
		meta, err := filepath.Glob(filepath.Join(dir, "nats/jetstream/*/streams/ROSTRA_TABLE_ROWS/meta.inf"))
		Expect(err).NotTo(HaveOccurred())
		Expect(meta).To(HaveLen(1))
		Expect(os.WriteFile(meta[0], []byte("{"), 0o600)).To(Succeed())
		_, err = open(dir).Table(ctx, inbox.TableOptions{Name: "rows"})
		Expect(err).To(MatchError(ContainSubstring("damaged")))
	})

	Describe("that is followed", func() {
		It("tells every row, then that it is in step, then every change in order", func() {
			a := put(t, "a", "1", 0)
			b := put(t, "b", "1", 0)
			a = put(t, "a", "2", a)
			old := put(t, "old", "1", 0)
			Expect(t.Delete(ctx, "old", old)).To(Succeed())
			s, _ := follow(t)
			Eventually(s.told).Should(Equal([]string{"b=1", "a=2", "synced"}))
			put(t, "c", "1", 0)
			put(t, "a", "3", a)
			Expect(t.Delete(ctx, "b", b)).To(Succeed())
			put(t, "b", "2", 0)
			Eventually(s.picture).Should(Equal(map[string]string{"a": "3", "b": "2", "c": "1"}))
			s.mu.Lock()
			defer s.mu.Unlock()
			for n, row := range s.rows[1:] {
				Expect(row.Revision).To(BeNumerically(">", s.rows[n].Revision))
			}
		})

		It("is in step at once where there are no rows, or only marks of them", func() {
			s, stop := follow(t)
			Eventually(s.told).Should(Equal([]string{"synced"}))
			stop()
			Expect(t.Delete(ctx, "a", put(t, "a", "1", 0))).To(Succeed())
			s, _ = follow(t)
			Eventually(s.told).Should(Equal([]string{"synced"}))
		})

		It("tells that a row has expired, once, and not one that was kept on", func() {
			put(t, "before", "1", 0, time.Second)
			s, _ := follow(t)
			Eventually(s.inStep).Should(Equal(1))
			revision := put(t, "a", "1", 0, time.Second)
			revision = put(t, "a", "2", revision, 2*time.Second)
			put(t, "b", "1", put(t, "b", "0", 0, time.Second))
			Eventually(s.told).Should(ContainElements("before gone", "a gone"))
			Expect(s.picture()).To(Equal(map[string]string{"b": "1"}))
			s.mu.Lock()
			last := s.rows[len(s.rows)-1]
			s.mu.Unlock()
			Expect(last).To(Equal(inbox.Row{Key: "a", Revision: revision, Gone: true}))
			put(t, "a", "3", 0)
			Eventually(s.picture).Should(Equal(map[string]string{"a": "3", "b": "1"}))
			told := s.told()
			Expect(strings.Count(strings.Join(told, "\n"), "a gone")).To(Equal(1))
			Expect(strings.Count(strings.Join(told, "\n"), "before gone")).To(Equal(1))
		})

		It("is told so when the row is gone for everybody, whether the server has removed it or not", func() {
			const rows = 20
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			for n := range rows {
				put(t, fmt.Sprint(n), "1", 0, time.Second)
			}
			again := 0
			Expect(t.Follow(ctx, func(row inbox.Row) {
				if !row.Gone {
					return
				}
				Expect(gone(row.Key)()).To(MatchError(inbox.ErrNoRow))
				put(t, row.Key, "2", 0)
				again++
				if again == rows {
					cancel()
				}
			}, func() {})).To(Succeed())
			for n := range rows {
				Expect(value(fmt.Sprint(n))()).To(Equal("2"))
			}
		})

		It("knows all of many rows while they change, and is called in step once", func() {
			const rows = 3000
			revisions := make([]uint64, rows)
			var group sync.WaitGroup
			each := func(change func(n int)) {
				for caller := range 100 {
					group.Go(func() {
						defer GinkgoRecover()
						for n := caller; n < rows; n += 100 {
							change(n)
						}
					})
				}
			}
			each(func(n int) { revisions[n] = put(t, fmt.Sprint(n), "1", 0) })
			group.Wait()
			each(func(n int) { revisions[n] = put(t, fmt.Sprint(n), "2", revisions[n]) })
			s, _ := follow(t)
			group.Wait()
			want := map[string]string{}
			for n := range rows {
				want[fmt.Sprint(n)] = "2"
			}
			Eventually(s.picture).Should(Equal(want))
			Eventually(s.inStep).Should(Equal(1))
		})
	})
})

var _ = Describe("A table on a NATS cluster", func() {
	var (
		ctx    context.Context
		remote *natsServer
	)
	BeforeEach(func() {
		ctx = context.Background()
		remote = startNATS()
	})
	connect := func() *inbox.Table {
		GinkgoHelper()
		return tableOf(open("", func(o *inbox.Options) { o.URL = remote.ClientURL() }))
	}

	It("is one for two processes", func() {
		one, other := connect(), connect()
		s, _ := follow(other)
		revision := put(one, "a", "1", 0)
		_, err := other.Put(ctx, "a", []byte("2"), 0, 0)
		Expect(err).To(MatchError(inbox.ErrConflict))
		put(other, "a", "2", revision)
		_, err = one.Put(ctx, "a", []byte("3"), revision, 0)
		Expect(err).To(MatchError(inbox.ErrConflict))
		Eventually(s.picture).Should(Equal(map[string]string{"a": "2"}))
	})

	It("is followed on when the server was away, without a row missing or coming twice", func() {
		t := connect()
		a := put(t, "a", "1", 0)
		b := put(t, "b", "1", 0)
		s, _ := follow(t)
		Eventually(s.inStep).Should(Equal(1))
		remote.stop()
		_, err := t.Put(ctx, "a", []byte("2"), a, 0)
		Expect(err).To(MatchError(inbox.ErrUnavailable))
		_, err = t.Get(ctx, "a")
		Expect(err).To(MatchError(inbox.ErrUnavailable))
		remote.start()
		Eventually(func() error { _, err := t.Put(ctx, "a", []byte("2"), a, 0); return err }).Should(Succeed())
		Expect(t.Delete(ctx, "b", b)).To(Succeed())
		put(t, "c", "1", 0)
		Eventually(s.picture).Should(Equal(map[string]string{"a": "2", "c": "1"}))
		Expect(s.told()).To(Equal([]string{"a=1", "b=1", "synced", "a=2", "b gone", "c=1"}))
	})

	It("knows its own row again when the answer to it was lost", func() {
		between := startDeafening(remote.Addr().String())
		t := tableOf(open("", func(o *inbox.Options) { o.URL = "nats://" + between.listener.Addr().String() }))
		direct := connect()
		first := put(t, "a", "1", 0)
		type answer struct {
			revision uint64
			err      error
		}
		answers := make(chan answer, 1)
		between.deaf.Store(true)
		go func() {
			revision, err := t.Put(ctx, "a", []byte("2"), first, 0)
			answers <- answer{revision, err}
		}()
		var row inbox.Row
		Eventually(func() string { row, _ = direct.Get(ctx, "a"); return string(row.Value) }).Should(Equal("2"))
		Consistently(answers).ShouldNot(Receive(), "it waits for the answer")
		between.deaf.Store(false)
		Eventually(answers).Should(Receive(Equal(answer{revision: row.Revision})))
		Expect(row.Revision).To(BeNumerically(">", first))
	})

	It("ends its followers when it is taken away", func() {
		i := open("", func(o *inbox.Options) { o.URL = remote.ClientURL() })
		t := tableOf(i)
		s := &seen{}
		ended := make(chan error, 1)
		go func() { ended <- t.Follow(ctx, s.row, s.sync) }()
		Eventually(s.inStep).Should(Equal(1))
		Expect(strangerTo(remote).DeleteStream(ctx, "ROSTRA_TABLE_ROWS")).To(Succeed())
		Eventually(ended).Should(Receive(MatchError(inbox.ErrUnavailable)))
		_, err := t.Put(ctx, "a", nil, 0, 0)
		Expect(err).To(MatchError(inbox.ErrUnavailable))
	})
})

// deafening stands between a client and a NATS server, and can keep the server's
// words from the client.
type deafening struct {
	listener net.Listener
	deaf     atomic.Bool
}

func startDeafening(to string) *deafening {
	GinkgoHelper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	d := &deafening{listener: listener}
	var group sync.WaitGroup
	DeferCleanup(func() {
		_ = listener.Close()
		group.Wait()
	})
	group.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				_ = client.Close()
				continue
			}
			group.Go(func() {
				_, _ = io.Copy(server, client)
				_ = server.Close()
			})
			group.Go(func() {
				_, _ = io.Copy(d.to(client), server)
				_ = client.Close()
			})
		}
	})
	return d
}

// to passes on what is written, or loses it. What the server says while nothing
// else is on its way comes in one piece.
func (d *deafening) to(client io.Writer) io.Writer {
	return writerFunc(func(p []byte) (int, error) {
		if d.deaf.Load() {
			return len(p), nil
		}
		return client.Write(p)
	})
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package forward_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/rostra-dev/rostra/internal/forward"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/webhook"
)

// seconds as times.
func seconds(all ...int) []time.Duration {
	var times []time.Duration
	for _, s := range all {
		times = append(times, time.Duration(s)*time.Second)
	}
	return times
}

// about is when the tries are that seconds names, with the moments in which a
// letter lets others go first.
func about(all ...int) types.GomegaMatcher {
	return WithTransform(func(tries []time.Duration) []time.Duration {
		rounded := slices.Clone(tries)
		for n, at := range tries {
			if n < len(all) && at >= seconds(all[n])[0] && at <= seconds(all[n] + 3)[0] {
				rounded[n] = seconds(all[n])[0]
			}
		}
		return rounded
	}, Equal(seconds(all...)))
}

// localLimit is what a limit of our own says.
func localLimit(after time.Duration) error {
	return fmt.Errorf("%w%w", &webhook.Failure{RetryAfter: after}, &httpx.Error{Kind: httpx.KindRateLimited})
}

var _ = Describe("Delivery", func() {
	It("keeps the order of every conversation through failures", bubble(func(w *world) {
		failing := 0
		w.wire.answers(func(string, string) error {
			if failing++; failing%3 != 0 {
				return status([]int{500, 502, 503, 504, 429, 408}[failing%6], 0)
			}
			return nil
		})
		w.run()
		for n := 1; n <= 30; n++ {
			w.hear(mention(helpUID, "a", n), mention(helpUID, "b", n), mention(helpUID, "c", n))
		}
		after(time.Hour)
		for _, thread := range []string{"a", "b", "c"} {
			Expect(in(w.wire.to(care), helpUID+"/"+thread)).To(Equal(idsOf(helpUID, thread, 1, 30)))
		}
		Expect(w.outbox.waiting(care)).To(BeZero())
	}))

	It("leaves a failing sink alone for longer each time, and goes on at once when it is back", bubble(func(w *world) {
		w.wire.answers(func(string, string) error { return status(503, 0) })
		w.run()
		w.hear(mention(helpUID, "t", 1), mention(helpUID, "t", 2))
		after(20 * time.Minute)
		Expect(w.wire.triesOf(idOf(helpUID, "t", 1))).To(about(0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 811, 1111))
		Expect(w.wire.triesOf(idOf(helpUID, "t", 2))).To(BeEmpty())
		w.wire.answers(nil)
		after(5 * time.Minute)
		Expect(w.wire.to(care)).To(Equal(idsOf(helpUID, "t", 1, 2)))
		Expect(w.wire.triesOf(idOf(helpUID, "t", 2))).To(about(1411))
	}))

	It("counts failures of several at the same time as one, and tries with one alone", bubble(func(w *world) {
		w.wire.answers(func(string, string) error { return status(503, 0) })
		w.run()
		for n := range 8 {
			w.hear(mention(helpUID, fmt.Sprint("thread", n), 1))
		}
		after(2500 * time.Millisecond)
		Expect(len(w.wire.tried())).To(BeNumerically("<=", 8+1)) // at 0 s and at 1 s
		w.wire.answers(nil)
		after(time.Second)
		Expect(w.wire.to(care)).To(HaveLen(8))
	}))

	It("does as the sink asks by Retry-After, up to an hour", bubble(func(w *world) {
		asked := []time.Duration{40 * time.Second, 24 * 365 * time.Hour}
		w.wire.answers(func(string, string) error {
			if len(asked) == 0 {
				return nil
			}
			next := asked[0]
			asked = asked[1:]
			return status(429, next)
		})
		w.run()
		w.hear(mention(helpUID, "t", 1))
		after(3 * time.Hour)
		Expect(w.wire.triesOf(idOf(helpUID, "t", 1))).To(about(0, 40, 3640))
	}))

	It("gives letters back to the outbox for a long pause: another process may get through", bubble(func(w *world) {
		w.wire.answers(func(string, string) error { return status(410, 0) })
		w.run()
		w.hear(mention(helpUID, "t", 1))
		after(time.Minute)
		Expect(w.outbox.delivers(care)).To(BeZero())
		Expect(w.outbox.delivers(press)).To(Equal(1))
		after(4*time.Minute - time.Second)
		Expect(w.wire.triesOf(idOf(helpUID, "t", 1))).To(Equal(seconds(0)))
		after(2 * time.Second)
		Expect(w.wire.triesOf(idOf(helpUID, "t", 1))).To(about(0, 300))
	}))

	It("does not hold up one team by another's dead sink", bubble(func(w *world) {
		w.wire.answers(func(url, _ string) error {
			if strings.HasSuffix(url, care) {
				return status(500, 0)
			}
			return nil
		})
		w.run()
		for n := 1; n <= 20; n++ {
			w.hear(mention(helpUID, "t", n), mention(newsUID, "t", n))
		}
		Expect(time.Since(w.start)).To(BeZero())
		Expect(w.wire.to(press)).To(Equal(idsOf(newsUID, "t", 1, 20)))
		after(time.Minute)
		Expect(w.figure("rostra_sink_waiting", "team", care)).To(Equal(20.0))
		Expect(w.figure("rostra_sink_oldest_seconds", "team", care)).To(BeNumerically("~", 60, 1))
		Expect(w.figure("rostra_sink_waiting", "team", press)).To(BeZero())
		Expect(w.figure("rostra_sink_oldest_seconds", "team", press)).To(BeZero())
	}))

	It("takes a limit of its own for no fault of the sink", bubble(func(w *world) {
		limited := 100
		w.wire.answers(func(string, string) error {
			if limited--; limited > 0 {
				return localLimit(2 * time.Second)
			}
			return nil
		})
		w.run()
		w.hear(mention(helpUID, "t", 1))
		after(5 * time.Minute)
		Expect(w.wire.to(care)).To(HaveLen(1))
		Expect(w.said.list()).To(BeEmpty())
		Expect(w.figure("rostra_sink_deliveries_total", "outcome", "deferred")).To(Equal(99.0))
	}))

	It("does not keep letters from another process that has a way to the sink", bubble(func(w *world) {
		w.wire.answers(func(string, string) error { return status(503, 0) })
		w.run()
		w.hear(mention(helpUID, "t", 1), mention(helpUID, "t", 2), mention(helpUID, "t", 3))
		other := newWorld()
		other.outbox, other.directory = w.outbox, w.directory
		other.run()
		defer func() { other.end() }()
		Expect(other.wire.took()).To(BeEmpty(), "the first process has the letter in hand")
		after(20 * time.Second)
		Expect(other.wire.to(care)).To(Equal(idsOf(helpUID, "t", 1, 3)))
	}))

	It("starts again where the outbox could not go on", bubble(func(w *world) {
		w.outbox.broken = errors.New("the server took it away")
		w.run()
		w.hear(mention(helpUID, "t", 1))
		after(time.Minute)
		w.outbox.mu.Lock()
		w.outbox.broken = nil
		w.outbox.mu.Unlock()
		after(time.Minute)
		Expect(w.log.String()).To(ContainSubstring("took it away"))
		Expect(w.wire.to(care)).To(HaveLen(1))
	}))
})

var _ = Describe("Trouble with a sink", func() {
	It("is said once, after a minute, and so is its end", bubble(func(w *world) {
		w.wire.answers(func(string, string) error { return status(503, 0) })
		w.run()
		w.hear(mention(helpUID, "t", 1))
		after(30 * time.Second)
		Expect(w.said.list()).To(BeEmpty())
		after(30 * time.Minute)
		w.wire.answers(nil)
		after(5 * time.Minute)
		Expect(w.said.list()).To(HaveExactElements(
			MatchRegexp(`^care since 0s at 1m3(\.\d+)?s: desk.example answered 503$`),
			MatchRegexp(`^care recovered at 33m3\d(\.\d+)?s$`),
		))
	}))

	It("is not said of what passes", bubble(func(w *world) {
		w.wire.answers(func(string, string) error {
			if time.Since(w.start) < 30*time.Second {
				return status(503, 0)
			}
			return nil
		})
		w.run()
		w.hear(mention(helpUID, "t", 1))
		after(time.Hour)
		Expect(w.wire.to(care)).To(HaveLen(1))
		Expect(w.said.list()).To(BeEmpty())
	}))

	It("is said at once where somebody has to mend it, and again when it is another", bubble(func(w *world) {
		w.wire.answers(func(string, string) error {
			if time.Since(w.start) < time.Hour {
				return status(410, 0)
			}
			return status(401, 0)
		})
		w.run()
		w.hear(mention(helpUID, "t", 1))
		after(2 * time.Hour)
		Expect(w.said.list()).To(HaveExactElements(
			Equal("care since 0s at 0s: desk.example answered 410"),
			MatchRegexp(`^care since 0s at 1h0m\d(\.\d+)?s: desk.example answered 401$`),
		))
		Expect(len(w.wire.tried())).To(BeNumerically("~", 25, 1), "every five minutes")
	}))

	It("is over at once when the Secret is put right", bubble(func(w *world) {
		w.wire.answers(func(string, string) error { return status(401, 0) })
		w.run()
		w.hear(mention(helpUID, "t", 1))
		after(10 * time.Second)
		w.wire.answers(nil)
		w.poke() // nothing has changed
		Expect(w.wire.to(care)).To(BeEmpty())
		w.directory.change(func() { w.directory.sinks[care] = sinkOf(care, "2") })
		w.poke()
		Expect(w.wire.triesOf(idOf(helpUID, "t", 1))).To(Equal(seconds(0, 10)))
		Expect(w.wire.to(care)).To(HaveLen(1))
		Expect(w.said.list()).To(HaveLen(2))
	}))

	It("notices without being told, within half a minute", bubble(func(w *world) {
		w.wire.answers(func(string, string) error { return status(401, 0) })
		w.run()
		w.hear(mention(helpUID, "t", 1))
		w.wire.answers(nil)
		w.directory.change(func() { w.directory.sinks[care] = sinkOf(care, "2") })
		after(30 * time.Second)
		Expect(w.wire.to(care)).To(HaveLen(1))
	}))

	It("is that a Secret cannot be used: letters wait until it can", bubble(func(w *world) {
		w.directory.broken[care] = fmt.Errorf("%w: the Secret care/desk is missing", forward.ErrUnusable)
		w.run()
		w.hear(mention(helpUID, "t", 1))
		after(time.Hour)
		Expect(w.wire.tried()).To(BeEmpty())
		Expect(w.said.list()).To(ConsistOf(ContainSubstring("the Secret care/desk is missing")))
		w.directory.change(func() { delete(w.directory.broken, care) })
		w.poke()
		Expect(w.wire.to(care)).To(HaveLen(1))
		Expect(w.said.list()).To(HaveLen(2))
	}))

	It("is that a sink was taken away while letters wait: they go to nobody else", bubble(func(w *world) {
		w.wire.answers(func(string, string) error { return status(503, 0) })
		w.run()
		w.hear(mention(helpUID, "t", 1))
		w.wire.answers(nil)
		taken := w.directory.sinks[care]
		w.directory.change(func() { delete(w.directory.sinks, care) })
		w.poke()
		after(time.Hour)
		Expect(w.wire.took()).To(BeEmpty())
		Expect(w.said.list()).To(ConsistOf(ContainSubstring("has no event sink any more")))
		Expect(w.figure("rostra_sink_waiting", "team", care)).To(Equal(1.0))
		w.directory.change(func() { w.directory.sinks[care] = taken })
		w.poke()
		Expect(w.wire.to(care)).To(HaveLen(1))
		Expect(w.wire.to(press)).To(BeEmpty())
	}))

	It("ends what is said of a team that has neither sink nor letters", bubble(func(w *world) {
		w.run()
		Expect(w.figure("rostra_sink_waiting", "team", care)).To(BeZero())
		w.directory.change(func() { delete(w.directory.sinks, care) })
		w.poke()
		Expect(w.figure("rostra_sink_waiting", "team", care)).To(Equal(-1.0))
		Expect(w.outbox.delivers(care)).To(BeZero())
	}))

	It("changes nothing while the cluster cannot be asked", bubble(func(w *world) {
		w.run()
		w.directory.change(func() { w.directory.broken[care] = errors.New("timeout") })
		w.poke()
		w.hear(mention(helpUID, "t", 1))
		Expect(w.wire.to(care)).To(HaveLen(1))
		w.directory.change(func() { w.directory.down = errors.New("timeout") })
		w.poke()
		Expect(w.outbox.delivers(care)).To(Equal(1))
		Expect(w.said.list()).To(BeEmpty())
	}))
})

var _ = Describe("A letter that the sink refuses for what is in it", func() {
	poison := idOf(helpUID, "a", 1)
	refuse := func(code int) func(string, string) error {
		return func(_, id string) error {
			if id == poison {
				return status(code, 0)
			}
			return nil
		}
	}

	It("is set aside after five tries, aloud, and the next goes", bubble(func(w *world) {
		w.wire.answers(refuse(422))
		w.run()
		w.hear(mention(helpUID, "a", 1), mention(helpUID, "a", 2), mention(helpUID, "b", 1))
		Expect(w.wire.to(care)).To(Equal(idsOf(helpUID, "b", 1, 1)), "other conversations do not wait")
		after(time.Hour)
		Expect(w.wire.triesOf(poison)).To(Equal(seconds(0, 10, 30, 70, 150)))
		Expect(w.wire.triesOf(idOf(helpUID, "a", 2))).To(Equal(seconds(150)))
		Expect(w.log.String()).To(And(ContainSubstring("set aside"), ContainSubstring(poison)))
		Expect(w.log.String()).NotTo(ContainSubstring("hello 1"), "what a customer wrote")
		Expect(w.figure("rostra_sink_set_aside_total")).To(Equal(1.0))
		Expect(w.outbox.waiting(care)).To(BeZero())
	}))

	It("is not set aside for a 400 while the sink accepts nothing: that may be the signature", bubble(func(w *world) {
		w.wire.answers(func(string, string) error { return status(400, 0) })
		w.run()
		w.hear(mention(helpUID, "a", 1), mention(helpUID, "b", 1))
		after(5 * time.Hour)
		Expect(w.outbox.waiting(care)).To(Equal(int64(2)))
		Expect(w.said.list()).To(ConsistOf(HaveSuffix("answered 400")))
		w.wire.answers(refuse(400))
		after(30 * time.Minute)
		Expect(w.wire.to(care)).To(Equal(idsOf(helpUID, "b", 1, 1)))
		Expect(w.outbox.waiting(care)).To(BeZero(), "now it is the letter")
	}))

	It("is set aside for a 400 after six hours in any case", bubble(func(w *world) {
		w.wire.answers(refuse(400))
		w.run()
		w.hear(mention(helpUID, "a", 1), mention(helpUID, "a", 2))
		after(6*time.Hour - time.Minute)
		Expect(w.outbox.waiting(care)).To(Equal(int64(2)))
		after(7 * time.Minute)
		Expect(w.wire.to(care)).To(Equal(idsOf(helpUID, "a", 2, 2)))
	}))

	It("is set aside after six hours where the sink breaks on it, and other conversations go on until then", bubble(func(w *world) {
		w.wire.answers(refuse(500))
		w.run()
		w.hear(mention(helpUID, "a", 1), mention(helpUID, "a", 2))
		for n := 1; n <= 60; n++ {
			w.hear(mention(helpUID, "b", n))
			after(4 * time.Minute)
		}
		Expect(w.wire.to(care)).To(Equal(idsOf(helpUID, "b", 1, 60)))
		Expect(w.outbox.waiting(care)).To(Equal(int64(2)))
		for n := 61; n <= 120; n++ {
			w.hear(mention(helpUID, "b", n))
			after(4 * time.Minute)
		}
		Expect(w.wire.to(care)).To(ContainElement(idOf(helpUID, "a", 2)))
		Expect(w.wire.to(care)).To(HaveLen(121))
		Expect(w.figure("rostra_sink_set_aside_total")).To(Equal(1.0))
	}))

	It("does not shut out the others where something before the sink refuses it, and is set aside after five refusals", bubble(func(w *world) {
		w.wire.answers(refuse(403))
		w.run()
		w.hear(mention(helpUID, "b", 1))
		w.hear(mention(helpUID, "a", 1), mention(helpUID, "a", 2))
		for n := 2; n <= 60; n++ {
			w.hear(mention(helpUID, "b", n))
			after(10 * time.Second)
			Expect(w.wire.to(care)).To(ContainElement(idOf(helpUID, "b", n)), "at once, each time")
		}
		Expect(w.wire.triesOf(poison)).To(HaveLen(5))
		Expect(w.wire.to(care)).To(ContainElement(idOf(helpUID, "a", 2)))
		Expect(w.figure("rostra_sink_set_aside_total")).To(Equal(1.0))
		Expect(w.said.list()).To(BeEmpty())
	}))

	It("does not shut out the others for long where it was the first that the process saw", bubble(func(w *world) {
		w.wire.answers(refuse(403))
		w.run()
		w.hear(mention(helpUID, "a", 1), mention(helpUID, "a", 2))
		for n := 1; n <= 120; n++ {
			w.hear(mention(helpUID, "b", n))
			after(10 * time.Second)
		}
		took := w.wire.took()
		Expect(took[0].at.Sub(w.start)).To(BeNumerically("~", 5*time.Minute, time.Second))
		Expect(w.wire.to(care)).To(HaveLen(121))
		Expect(w.figure("rostra_sink_set_aside_total")).To(Equal(1.0))
	}))

	It("is kept where the sink refuses every letter: it is the sink then, and said", bubble(func(w *world) {
		w.run()
		w.hear(mention(helpUID, "b", 1))
		w.wire.answers(func(string, string) error { return status(403, 0) })
		w.hear(mention(helpUID, "a", 1), mention(helpUID, "b", 2))
		after(time.Second)
		Expect(w.said.list()).To(ConsistOf(HaveSuffix("answered 403")))
		after(24 * time.Hour)
		Expect(w.outbox.waiting(care)).To(Equal(int64(2)))
		Expect(w.figure("rostra_sink_set_aside_total")).To(BeZero())
	}))

	It("is set aside after six hours where the sink says nothing to it alone", bubble(func(w *world) {
		w.wire.answers(func(_, id string) error {
			if id == poison {
				return fmt.Errorf("no answer within 10s%w%w", &webhook.Failure{}, &httpx.Error{Kind: httpx.KindTimeout})
			}
			return nil
		})
		w.run()
		w.hear(mention(helpUID, "b", 0))
		w.hear(mention(helpUID, "a", 1), mention(helpUID, "a", 2))
		for n := 1; n <= 120; n++ {
			w.hear(mention(helpUID, "b", n))
			after(4 * time.Minute)
			Expect(w.wire.to(care)).To(ContainElement(idOf(helpUID, "b", n)))
			if n == 80 {
				Expect(w.outbox.waiting(care)).To(Equal(int64(2)))
			}
		}
		Expect(w.wire.to(care)).To(ContainElement(idOf(helpUID, "a", 2)))
	}))

	It("is set aside at once where it is no letter of ours", bubble(func(w *world) {
		w.run()
		Expect(w.outbox.Add(GinkgoT().Context(), care, "x", "stranger", []byte(`{"event": "s3cret"`))).To(Succeed())
		after(time.Second)
		Expect(w.wire.tried()).To(BeEmpty())
		Expect(w.figure("rostra_sink_set_aside_total")).To(Equal(1.0))
		Expect(w.log.String()).NotTo(ContainSubstring("s3cret"))
	}))
})

var _ = Describe("A sink's Secret", func() {
	const key = "whsec_b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xk"

	It("holds a URL, and may hold several secrets while one is replaced", func() {
		target, err := forward.Target(" https://desk.example/hook\n", key+"\n"+key+" ")
		Expect(err).NotTo(HaveOccurred())
		Expect(target.URL.Reveal()).To(Equal("https://desk.example/hook"))
		Expect(target.Secrets).To(HaveLen(2))
		target, err = forward.Target("https://desk.example/hook", "")
		Expect(err).NotTo(HaveOccurred())
		Expect(target.Secrets).To(BeEmpty())
	})

	DescribeTable("is refused without being shown", func(url, secret string) {
		_, err := forward.Target(url, secret)
		Expect(err).To(MatchError(forward.ErrUnusable))
		Expect(err.Error()).NotTo(Or(ContainSubstring("p4ss"), ContainSubstring("b2xk")))
	},
		Entry("no URL", "", key),
		Entry("no https", "ftp://p4ss.example", key),
		Entry("a password", "https://me:p4ss@desk.example", key),
		Entry("no secret of Standard Webhooks", "https://desk.example/p4ss", "p4ssword"),
		Entry("too many", "https://desk.example", strings.Repeat(key+"\n", 5)),
	)
})

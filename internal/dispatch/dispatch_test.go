// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/ptr"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/dispatch"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/ledger"
	"github.com/rostra-dev/rostra/internal/notify"
)

var _ = Describe("A stranger's message", func() {
	var (
		ctx context.Context
		w   *world
		d   *dispatch.Dispatcher
	)
	BeforeEach(func() {
		ctx = context.Background()
		w = newWorld()
		d = w.dispatcher("rostra-0")
	})
	hear := func(e event.Event) {
		GinkgoHelper()
		Expect(d.Handle(ctx, e)).To(Succeed())
		d.Settle(ctx)
	}
	pass := func(length time.Duration) {
		w.clock.Step(length)
		d.Settle(ctx)
	}

	It("in the night is told to the night responder, then the manager, until it is answered", Label("S1", "S2"), func() {
		troll := w.mention("troll", "your planes fall from the sky")
		hear(troll)
		Expect(w.who()).To(Equal([]string{"care/nina"}), "whoever has the night in Sydney")

		By("waiting")
		pass(15*time.Minute - time.Second)
		Expect(w.who()).To(HaveLen(1))
		pass(time.Second)
		Expect(w.who()).To(Equal([]string{"care/nina", "care/maria"}), "nobody answered for a quarter of an hour")

		By("answering")
		w.clock.Step(5 * time.Minute)
		hear(w.answer(troll))
		Expect(w.over()).To(ConsistOf("care/nina", "care/maria"))
		c := w.only()
		Expect(c.State).To(Equal(conversation.Answered))
		Expect(c.Response.Took()).To(Equal(20 * time.Minute))
		Expect(c.Response.Kind).To(Equal(conversation.ByAnswer))

		pass(48 * time.Hour)
		Expect(w.who()).To(HaveLen(2), "nobody is told again")
		Expect(w.over()).To(HaveLen(2))
		figures := w.ledger.Figures("uid-1", w.clock.Now())
		Expect(figures).To(Equal(ledger.Figures{Answered: 1, P50: 20 * time.Minute, P90: 20 * time.Minute, Counted: 1, Within: 1}))
	})

	It("goes at once to the next step where a step is empty", Label("S3"), func() {
		w.rota("care", "Australia/Sydney", layer("care", "dana", v1alpha1.WeeklyWindow{From: "09:00", To: "17:00"}))
		hear(w.mention("troll", "hello"))
		Expect(w.who()).To(Equal([]string{"care/maria"}))
		pass(30 * time.Minute)
		Expect(w.who()).To(Equal([]string{"care/maria", "chief/ines"}))
		pass(24 * time.Hour)
		Expect(w.who()).To(HaveLen(3), "the broken promise, and nothing else")
	})

	It("about a refund is heard by billing first", Label("S21"), func() {
		w.route.Spec.Rules = []v1alpha1.EscalationRule{{Name: "refunds", When: "event.text.matches('(?i)refund')", Steps: []v1alpha1.EscalationStep{step("10m", onDuty("billing"))}}}
		hear(w.mention("jo", "I want a REFUND"))
		hear(w.mention("li", "where is my suitcase"))
		Expect(w.who()).To(Equal([]string{"billing/bea", "care/nina"}))
		Expect(w.told[0].Facts).To(ContainElement(notify.Fact{Name: "Step", Value: "step 1 of 3, by rule refunds"}))
	})

	It("that is not answered in time is told to the owner's manager once", Label("S15"), func() {
		w.route.Spec.Steps[0].Wait.Duration = 3 * time.Hour
		hear(w.mention("jo", "hello"))
		pass(time.Hour)
		Expect(w.who()).To(Equal([]string{"care/nina", "care/maria"}))
		late := w.told[1]
		Expect(late.Urgency).To(Equal(notify.High))
		Expect(late.Title).To(Equal("The promise of 1h was not kept: a mention on @acme_help (Mastodon) is not answered"))
		pass(time.Hour)
		Expect(w.who()).To(HaveLen(2), "once")
		pass(time.Hour)
		Expect(w.who()).To(HaveLen(3), "and the route goes on as it would have")
		figures := w.ledger.Figures("uid-1", w.clock.Now())
		Expect(figures.Counted).To(Equal(1))
		Expect(figures.Within).To(BeZero())
	})

	It("says what, where, since when, whose and how to acknowledge", func() {
		e := w.mention("troll", "your planes\nfall from the sky")
		hear(e)
		m := w.told[0].Message
		id := w.only().ID
		Expect(m.Title).To(Equal("A mention on @acme_help (Mastodon) waits for an answer"))
		Expect(m.Facts).To(ConsistOf(
			notify.Fact{Name: "Where", Value: "@acme_help (Mastodon), channel social/acme-help"},
			notify.Fact{Name: "Since", Value: "13:30 UTC, just now"},
			notify.Fact{Name: "Whose", Value: "team care"},
			notify.Fact{Name: "Step", Value: "step 1 of 2"},
			notify.Fact{Name: "From", Value: "@troll"},
		))
		Expect(m.Excerpt).To(Equal("your planes fall from the sky"))
		Expect(m.Link).To(Equal(e.URL))
		Expect(m.Acknowledge).To(Equal("https://rostra.example/ack/" + id + "/1/care/nina"))
		Expect(m.Incident).NotTo(BeEmpty())
		Expect(m.Ticket).To(And(HavePrefix(id+".1."), HaveSuffix(".care/nina")))
		Expect(m.Labels).To(Equal(map[string]string{
			"namespace": "social", "channel": "acme-help", "platform": "Mastodon", "owner": "care", "step": "1", "conversation": id,
		}))
		Expect(m.Email).To(Equal("nina@example.com"))
		pass(15 * time.Minute)
		second := w.told[1].Message
		Expect(second.Title).To(Equal("A mention on @acme_help (Mastodon) has waited for 15m"))
		Expect(second.Facts).To(ContainElement(notify.Fact{Name: "Step", Value: "step 2 of 2, as manager of care"}))
		Expect(second.Labels).To(HaveKeyWithValue("step", "2"))
		Expect(second.Incident).NotTo(Equal(m.Incident), "or the receiver folds them, and wakes nobody")
		Expect(second.Ticket).NotTo(Equal(m.Ticket), "for the same reason")
		Expect(second.ID).NotTo(Equal(m.ID))
	})

	It("in private is told without who wrote it and what", func() {
		e := w.mention("secret-jo", "my card number is 4242")
		e.Kind = event.DirectMessage
		hear(e)
		Expect(fmt.Sprint(w.told[0])).NotTo(Or(ContainSubstring("secret-jo's"), ContainSubstring("4242"), ContainSubstring("@secret-jo\"")))
		for _, fact := range w.told[0].Facts {
			Expect(fact.Name).NotTo(Equal("From"))
		}
		for _, row := range w.table.rows {
			Expect(string(row.Value)).NotTo(ContainSubstring("4242"), "and it is not kept")
		}
	})

	It("that comes twice counts once", func() {
		e := w.mention("jo", "hello")
		hear(e)
		hear(e)
		again := e
		again.ID, again.Kind = "another", event.Reply
		hear(again)
		Expect(w.who()).To(HaveLen(1))
		Expect(w.only().Messages).To(Equal(1))
	})

	It("opens the conversation again after an answer", func() {
		e := w.mention("jo", "hello")
		hear(e)
		w.clock.Step(time.Minute)
		hear(w.answer(e))
		w.clock.Step(time.Minute)
		hear(w.more(e))
		c := w.only()
		Expect(c.State).To(Equal(conversation.Told))
		Expect(c.Episode).To(Equal(2))
		Expect(c.Past).To(HaveLen(1))
		Expect(w.who()).To(HaveLen(2))
		Expect(w.told[1].ID).NotTo(Equal(w.told[0].ID))
	})

	It("that came after the answer that is heard of is not answered by it", func() {
		e := w.mention("jo", "hello")
		hear(e)
		w.clock.Step(time.Minute)
		answer := w.answer(e)
		w.clock.Step(time.Minute)
		hear(w.more(e))
		hear(answer)
		c := w.only()
		Expect(c.State).To(Equal(conversation.Told))
		Expect(c.Episode).To(Equal(2))
		Expect(c.Past[0].Kind).To(Equal(conversation.ByAnswer))
	})

	It("that was answered before it was heard of is told to nobody", func() {
		e := w.mention("jo", "hello")
		hear(w.answer(e))
		hear(e)
		Expect(w.who()).To(BeEmpty())
		c := w.only()
		Expect(c.State).To(Equal(conversation.Answered))
		Expect(c.Response).NotTo(BeNil())
	})

	It("is over for whoever was told when somebody has it", func() {
		hear(w.mention("jo", "hello"))
		w.clock.Step(4 * time.Minute)
		id := w.only().ID
		c, err := w.ledger.Acknowledge(ctx, id, 1, "care/nina")
		Expect(err).NotTo(HaveOccurred())
		Expect(c.State).To(Equal(conversation.Acknowledged))
		d.Settle(ctx)
		Expect(w.closed).To(HaveLen(1))
		Expect(w.closed[0].Acknowledged).To(BeTrue())
		Expect(w.closed[0].By).To(Equal("care/nina"))
		Expect(w.closed[0].Labels).To(Equal(w.told[0].Labels))
		Expect(w.closed[0].Kind).To(Equal(w.told[0].Kind))
		pass(24 * time.Hour)
		Expect(w.who()).To(HaveLen(1), "not even the manager, of a promise that was kept")

		c, err = w.ledger.Acknowledge(ctx, id, 0, "care/dana")
		Expect(err).To(MatchError(ledger.ErrOver))
		Expect(c.Response.By).To(Equal("care/nina"))
	})

	It("in a thread of direct messages is answered by any own post there", func() {
		e := w.mention("jo", "hello")
		e.Kind, e.ThreadID = event.DirectMessage, "dm-7"
		hear(e)
		own := w.answer(e)
		own.InReplyTo = ""
		hear(own)
		Expect(w.only().State).To(Equal(conversation.Answered))
	})

	It("of which the platform named no post is answered in its thread, whatever post the answer names", func() {
		e := w.mention("", "hello") // as Mastodon pushes it
		e.ID, e.PostID, e.URL, e.ThreadID = "notification-7", "", "", "notification-7"
		hear(e)
		own := w.answer(e)
		own.InReplyTo = "post-of-the-notification"
		hear(own)
		Expect(w.only().State).To(Equal(conversation.Answered))
	})

	It("is not answered by an answer to somebody else below the same post", func() {
		for _, author := range []string{"jo", "li"} {
			e := w.mention(author, "hello")
			e.Kind, e.ThreadID, e.InReplyTo = event.Reply, "our-announcement", "our-announcement"
			hear(e)
		}
		own := w.mention("acme", "thanks, everybody else")
		own.Kind, own.ThreadID, own.InReplyTo = event.OwnPost, "our-announcement", "a-post-that-came-before"
		hear(own)
		for _, one := range w.ledger.List(ledger.Filter{}) {
			Expect(one.State).To(Equal(conversation.Told))
		}
	})

	It("is completed before it is told", func() {
		w.complete = func(e event.Event) event.Event {
			e.PostID, e.ThreadID, e.Actor.ID, e.URL = "post-9", "", "jo", "https://mastodon.example/@jo/9"
			return e
		}
		e := w.mention("", "hello")
		e.PostID, e.URL, e.ThreadID = "", "", "notification-9"
		hear(e)
		Expect(w.told).To(HaveLen(1))
		Expect(w.told[0].Link).To(Equal("https://mastodon.example/@jo/9"))
		own := w.answer(e)
		own.InReplyTo = "post-9"
		hear(own)
		Expect(w.only().State).To(Equal(conversation.Answered))
	})

	It("of a thread that the platform does not name belongs to the post that it answers", func() {
		e := w.mention("jo", "hello")
		e.ThreadID = ""
		hear(e)
		other := w.more(e)
		other.ThreadID = ""
		hear(other)
		Expect(w.only().Messages).To(Equal(2))
		stranger := w.mention("li", "me too")
		stranger.ThreadID, stranger.InReplyTo = "", e.PostID
		hear(stranger)
		Expect(w.ledger.List(ledger.Filter{})).To(HaveLen(2), "another author is another conversation")
	})

	It("is no stranger's where the account itself wrote it", func() {
		e := w.mention("acme", "we say hello")
		hear(e)
		Expect(w.ledger.List(ledger.Filter{})).To(BeEmpty())
	})

	It("of a channel without a route is kept and counted, and the manager hears when it is late", func() {
		w.route = nil
		hear(w.mention("jo", "hello"))
		Expect(w.who()).To(BeEmpty())
		Expect(w.ledger.Figures("uid-1", w.clock.Now()).Open).To(Equal(1))
		pass(time.Hour)
		Expect(w.who()).To(Equal([]string{"care/maria"}))
	})

	It("of a channel that is gone is done with", func() {
		e := w.mention("jo", "hello")
		hear(e)
		w.gone = true
		hear(w.mention("li", "hello"))
		Expect(w.ledger.List(ledger.Filter{})).To(HaveLen(1))
		pass(15 * time.Minute)
		Expect(w.only().State).To(Equal(conversation.Expired))
		Expect(w.who()).To(HaveLen(1))
		Expect(w.over()).To(HaveLen(1))
	})

	It("comes again while the cluster or the store is away", func() {
		e := w.mention("jo", "hello")
		w.away = errors.New("the cache is not there")
		Expect(d.Handle(ctx, e)).To(MatchError(w.away))
		w.away = nil
		w.table.before = func(string) error { return inbox.ErrFull }
		Expect(d.Handle(ctx, e)).To(MatchError(inbox.ErrFull))
		w.table.before = nil
		hear(e)
		Expect(w.who()).To(HaveLen(1))
	})

	It("goes to the manager where the route is taken away midway", func() {
		hear(w.mention("jo", "hello"))
		w.route = nil
		pass(15 * time.Minute)
		Expect(w.who()).To(Equal([]string{"care/nina", "care/maria"}))
		Expect(w.told[1].Facts).To(ContainElement(HaveField("Value", HavePrefix("fallback"))))
	})

	It("goes by what holds now after a hand-over, and skips a rota that was deleted", func() {
		hear(w.mention("jo", "hello"))
		w.owner = "billing"
		w.route.Spec.Steps = []v1alpha1.EscalationStep{step("15m", onDuty("care")), step("15m", onDuty("care")), step("15m", manager("billing"))}
		delete(w.rotas, "care")
		pass(15 * time.Minute)
		Expect(w.who()).To(Equal([]string{"care/nina", "billing/bea"}))
	})

	It("goes on where a way does not work: the next way, another try, the next step", func() {
		w.ways["care/nina"] = []string{"pagerduty", "slack"}
		w.onTell = func(_, way string, _ notify.Message) error {
			if way == "pagerduty" {
				return errDown
			}
			return nil
		}
		hear(w.mention("jo", "hello"))
		Expect(w.told[0].way).To(Equal("slack"))

		By("trying again")
		tries := map[string]int{}
		ids := map[string]bool{}
		w.onTell = func(who, _ string, m notify.Message) error {
			tries[who]++
			if who == "care/maria" {
				ids[m.ID] = true
				return errDown
			}
			return nil
		}
		pass(15 * time.Minute)
		pass(10 * time.Second)
		Expect(w.who()).To(HaveLen(1))
		pass(20 * time.Second)
		Expect(tries["care/maria"]).To(Equal(3))
		Expect(ids).To(HaveLen(1), "each try is the same message")
		Expect(w.who()).To(Equal([]string{"care/nina", "chief/ines"}), "a notifier that fails counts as not told, and the route goes on")
	})

	It("is tried again every five minutes while nobody at all can be told", func() {
		for _, who := range []string{"care/nina", "care/maria", "chief/ines"} {
			w.ways[who] = nil
		}
		hear(w.mention("jo", "hello"))
		pass(5 * time.Minute)
		pass(5 * time.Minute)
		Expect(w.only().State).To(Equal(conversation.Open))
		delete(w.ways, "chief/ines")
		pass(5 * time.Minute)
		Expect(w.who()).To(Equal([]string{"chief/ines"}))
	})

	It("expires after a week", func() {
		hear(w.mention("jo", "hello"))
		for range 9 {
			pass(24 * time.Hour)
		}
		c := w.only()
		Expect(c.State).To(Equal(conversation.Expired))
		Expect(w.over()).NotTo(BeEmpty())
		Expect(w.ledger.Figures("uid-1", w.clock.Now())).To(Equal(ledger.Figures{Counted: 1}))
	})

	It("in each turn is an incident of its own, and each is resolved", func() {
		w.route.Spec.Repeat = ptr.To[int32](1)
		e := w.mention("jo", "hello")
		hear(e)
		for range 10 {
			pass(15 * time.Minute)
		}
		steps := map[string]int{}
		for _, one := range w.told {
			steps[one.Labels["step"]]++
		}
		Expect(steps).To(Equal(map[string]int{"1": 1, "2": 1, "1-round-2": 1, "2-round-2": 1, "fallback": 1, "promise": 1}))
		Expect(w.open()).To(HaveLen(6))
		hear(w.answer(e))
		Expect(w.open()).To(BeEmpty())
		labels := map[string]map[string]string{}
		for _, one := range w.told {
			labels[one.Incident] = one.Labels
		}
		for _, one := range w.closed {
			Expect(one.Labels).To(Equal(labels[one.Incident]), "Alertmanager knows it by them")
		}
	})

	It("that opens the conversation again leaves nothing open of what was told before", func() {
		e := w.mention("jo", "hello")
		hear(e)
		w.onClose = func(string, string, notify.Closing) error { return errDown }
		w.clock.Step(time.Minute)
		hear(w.answer(e))
		w.clock.Step(time.Minute)
		hear(w.more(e))
		Expect(w.who()).To(HaveLen(2), "and what cannot be closed keeps nobody from being told")
		Expect(w.open()).To(HaveLen(2))
		w.onClose = nil
		pass(10 * time.Minute)
		Expect(w.open()).To(Equal([]string{w.told[1].Incident}))

		By("answering what was acknowledged, after another message")
		_, err := w.ledger.Acknowledge(ctx, w.only().ID, 0, "care/nina")
		Expect(err).NotTo(HaveOccurred())
		d.Settle(ctx)
		Expect(w.open()).To(HaveLen(1), "it was acknowledged alone")
		w.clock.Step(time.Minute)
		answer := w.answer(e)
		w.clock.Step(time.Minute)
		hear(w.more(e))
		hear(answer)
		Expect(w.only().Episode).To(Equal(3))
		Expect(w.open()).To(Equal([]string{w.told[2].Incident}))
	})

	It("is over in all places of the way in which somebody was told", func() {
		w.ways["care/nina"] = []string{"pagerduty", "slack", "pagerduty"}
		e := w.mention("jo", "hello")
		hear(e)
		hear(w.answer(e))
		Expect(w.closed).To(HaveLen(2))
		for _, one := range w.closed {
			Expect(one.way).To(Equal("pagerduty"))
		}
	})

	It("is over also where an answer of the other side was lost", func() {
		w.ways["care/nina"] = []string{"pagerduty", "slack"}
		w.onTell = func(_, way string, _ notify.Message) error {
			if way == "pagerduty" {
				return &notify.Failure{Way: way, MaybeTold: true}
			}
			return nil
		}
		e := w.mention("jo", "hello")
		hear(e)
		hear(w.answer(e))
		Expect(w.told[0].way).To(Equal("slack"))
		Expect(w.closed[0].way).To(Equal("pagerduty"))
	})

	It("is told to the next at once where no other try would help, and again when it may be asked again", func() {
		w.onTell = func(who, way string, _ notify.Message) error {
			switch who {
			case "care/nina":
				return &notify.Failure{Way: way, Permanent: true}
			case "care/maria":
				return &notify.Failure{Way: way, RetryAfter: 77 * time.Second}
			}
			return nil
		}
		hear(w.mention("jo", "hello"))
		c := w.only()
		Expect(c.Next.Step).To(Equal(1))
		Expect(c.Due).To(Equal(w.clock.Now().Add(77 * time.Second)))
	})

	It("of which many are over keeps nobody from being told, whatever does not answer", func() {
		w.route.Spec.Steps[0].Wait.Duration, w.target = 24*time.Hour, 0
		hang, hung := make(chan struct{}), make(chan struct{}, 100)
		w.onClose = func(string, string, notify.Closing) error {
			hung <- struct{}{}
			<-hang
			return errDown
		}
		said := []event.Event{}
		for n := range 60 {
			e := w.mention(fmt.Sprint("author-", n), "hello")
			e.ChannelUID, e.Channel = fmt.Sprint("uid-", n), fmt.Sprint("social/channel-", n)
			hear(e)
			said = append(said, e)
		}
		for _, e := range said {
			own := w.answer(e)
			own.ChannelUID, own.Channel = e.ChannelUID, e.Channel
			Expect(d.Handle(ctx, own)).To(Succeed())
		}
		run, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- d.Start(run) }()
		for range 8 {
			Eventually(hung).Should(Receive())
		}
		Expect(d.Handle(ctx, w.mention("late", "hello"))).To(Succeed())
		Eventually(w.who).Should(HaveLen(61))
		close(hang)
		stop()
		Eventually(ended).Should(Receive(BeNil()))
	})

	It("that is answered while somebody is being told is over for them too", func() {
		e := w.mention("jo", "hello")
		w.onTell = func(string, string, notify.Message) error {
			w.onTell = nil
			return d.Handle(ctx, w.answer(e))
		}
		hear(e)
		Expect(w.who()).To(Equal([]string{"care/nina"}))
		c := w.only()
		Expect(c.State).To(Equal(conversation.Answered))
		Expect(c.Tellings).To(HaveLen(1), "the outcome is noted all the same")
		Expect(w.over()).To(Equal([]string{"care/nina"}))
	})
})

var _ = Describe("A crash", func() {
	var w *world
	BeforeEach(func() { w = newWorld() })

	// crash makes every write fail from the next telling on, or from before it.
	crash := func(ctx context.Context, tell bool) {
		dead := w.dispatcher("rostra-0")
		w.onTell = func(string, string, notify.Message) error {
			w.table.before = func(string) error { return errors.New("the process is dead") }
			if tell {
				return nil
			}
			return errDown
		}
		Expect(dead.Handle(ctx, w.mention("jo", "hello"))).To(Succeed())
		dead.Idle()
		w.onTell, w.table.before = nil, nil
		w.ledger = w.newLedger()
	}

	It("between claim and telling loses no turn", func(ctx SpecContext) {
		crash(ctx, false)
		Expect(w.who()).To(BeEmpty())
		other := w.dispatcher("rostra-1")
		other.Settle(ctx)
		Expect(w.who()).To(BeEmpty(), "the claim is another's")
		w.clock.Step(conversation.ClaimFor)
		other.Settle(ctx)
		Expect(w.who()).To(Equal([]string{"care/nina"}))
	})

	It("twice between telling and outcome tells no third time: the next one hears at once", func(ctx SpecContext) {
		crash(ctx, true)
		dead := w.dispatcher("rostra-0")
		w.onTell = func(string, string, notify.Message) error {
			w.table.before = func(string) error { return errors.New("the process is dead") }
			return nil
		}
		dead.Settle(ctx)
		w.onTell, w.table.before = nil, nil
		w.ledger = w.newLedger()
		Expect(w.who()).To(Equal([]string{"care/nina", "care/nina"}))

		d := w.dispatcher("rostra-0")
		d.Settle(ctx)
		Expect(w.who()).To(Equal([]string{"care/nina", "care/nina", "care/maria"}))
		w.clock.Step(10 * time.Minute)
		d.Settle(ctx)
		Expect(w.who()).To(HaveLen(3))
	})

	It("between telling and outcome tells once more, with the same ID", func(ctx SpecContext) {
		crash(ctx, true)
		d := w.dispatcher("rostra-0")
		d.Settle(ctx)
		Expect(w.who()).To(Equal([]string{"care/nina", "care/nina"}), "the same process takes over at once")
		Expect(w.told[1].ID).To(Equal(w.told[0].ID))
		w.clock.Step(10 * time.Minute)
		d.Settle(ctx)
		Expect(w.who()).To(HaveLen(2))
	})

	It("between telling and outcome leaves no alert, where the answer comes before it is taken up", func(ctx SpecContext) {
		crash(ctx, true)
		d := w.dispatcherOn("rostra-1", w.ledger)
		e := w.mention("acme", "here you are")
		e.Kind, e.InReplyTo, e.ThreadID = event.OwnPost, "post-1", "post-1"
		Expect(d.Handle(ctx, e)).To(Succeed())
		d.Settle(ctx)
		Expect(w.over()).To(BeEmpty(), "whoever tells may still be at it")
		w.clock.Step(conversation.ClaimFor)
		d.Settle(ctx)
		Expect(w.closed).To(ConsistOf(And(HaveField("Incident", w.told[0].Incident), HaveField("Ticket", w.told[0].Ticket))))
		Expect(w.closed[0].Labels).To(Equal(w.told[0].Labels))
		Expect(w.who()).To(HaveLen(1))
	})

	It("does not keep those who were told from hearing that it is over", func(ctx SpecContext) {
		d := w.dispatcher("rostra-0")
		e := w.mention("jo", "hello")
		Expect(d.Handle(ctx, e)).To(Succeed())
		d.Settle(ctx)
		Expect(d.Handle(ctx, w.answer(e))).To(Succeed())
		w.ledger = w.newLedger()
		w.dispatcher("rostra-0").Settle(ctx)
		Expect(w.over()).To(Equal([]string{"care/nina"}))
	})
})

var _ = Describe("Two dispatchers", func() {
	It("take each turn once", func(ctx SpecContext) {
		w := newWorld()
		w.route.Spec.Steps = []v1alpha1.EscalationStep{step("15m", onDuty("care")), step("15m", manager("care"))}
		first, second := w.dispatcher("rostra-0"), w.dispatcherOn("rostra-1", w.newLedger())
		for n := range 4 {
			Expect(first.Handle(ctx, w.mention(fmt.Sprint("author-", n), "hello"))).To(Succeed())
		}
		settle := func() {
			var group sync.WaitGroup
			group.Go(func() { first.Settle(ctx) })
			group.Go(func() { second.Settle(ctx) })
			group.Wait()
		}
		settle()
		Expect(w.who()).To(HaveLen(4))
		for range 6 {
			w.clock.Step(15 * time.Minute)
			settle()
			w.clock.Step(time.Second)
			settle()
		}
		seen := map[string]int{}
		for _, one := range w.told {
			seen[one.ID]++
		}
		Expect(seen).To(HaveLen(4*4), "nina, maria, ines, and maria of the broken promise")
		for id, times := range seen {
			Expect(times).To(Equal(1), id)
		}
	})
})

var _ = Describe("A flood", func() {
	const many = 2000
	It("is told in one message a minute", func(ctx SpecContext) {
		w := newWorld()
		d := w.dispatcher("rostra-0")
		for n := range many {
			Expect(d.Handle(ctx, w.mention(fmt.Sprint("author-", n), "hello"))).To(Succeed())
		}
		d.Settle(ctx)
		Expect(w.who()).To(HaveLen(5), "five singly")
		w.clock.Step(time.Minute)
		d.Settle(ctx)
		Expect(w.who()).To(HaveLen(6))
		Expect(w.told[5].Title).To(Equal(fmt.Sprintf("%d more conversations on @acme_help (Mastodon) wait; oldest since 13:30 UTC; rostra inbox social/acme-help", many-5)))
		for _, one := range w.ledger.List(ledger.Filter{}) {
			Expect(one.State).To(Equal(conversation.Told))
		}
		c, err := w.ledger.Get(ctx, w.ledger.List(ledger.Filter{})[many-1].ID)
		Expect(err).NotTo(HaveOccurred())
		Expect(c.Tellings).To(HaveLen(1))
		Expect(w.ledger.Figures("uid-1", w.clock.Now()).Open).To(Equal(many))

		By("going on to the manager")
		w.clock.Step(15 * time.Minute)
		d.Settle(ctx)
		w.clock.Step(time.Minute)
		d.Settle(ctx)
		w.clock.Step(time.Minute)
		d.Settle(ctx)
		byManager := 0
		for _, one := range w.told {
			if one.who == "care/maria" {
				byManager++
			}
		}
		Expect(byManager).To(And(BeNumerically(">", 1), BeNumerically("<=", 7)))
	})

	It("that a crash interrupts is told of again by the same message, and none is left out", func(ctx SpecContext) {
		w := newWorld()
		d := w.dispatcher("rostra-0")
		for n := range 100 {
			Expect(d.Handle(ctx, w.mention(fmt.Sprint("author-", n), "hello"))).To(Succeed())
		}
		d.Settle(ctx)
		w.clock.Step(time.Minute)
		puts := 0
		w.onTell = func(string, string, notify.Message) error {
			w.table.before = func(string) error {
				if puts++; puts > 30 {
					return inbox.ErrUnavailable
				}
				return nil
			}
			return nil
		}
		// A process that dies while it notes who was told.
		broken, stop := context.WithCancel(ctx)
		d.Settle(broken)
		stop()
		w.onTell, w.table.before = nil, nil
		Expect(w.who()).To(HaveLen(6))

		w.ledger = w.newLedger()
		d = w.dispatcher("rostra-0")
		d.Settle(ctx)
		w.clock.Step(2 * time.Minute)
		d.Settle(ctx)
		ids := map[string]int{}
		for _, one := range w.told {
			if strings.Contains(one.Title, "more conversations") {
				ids[one.ID]++
			}
		}
		Expect(ids).To(HaveLen(1))
		for _, one := range w.ledger.List(ledger.Filter{}) {
			Expect(one.State).To(Equal(conversation.Told))
		}
	})

	It("is gathered by one of two processes", func(ctx SpecContext) {
		w := newWorld()
		second := w.dispatcherOn("rostra-1", w.newLedger())
		first := w.dispatcher("rostra-0")
		for n := range 200 {
			Expect(first.Handle(ctx, w.mention(fmt.Sprint("author-", n), "hello"))).To(Succeed())
		}
		settle := func() {
			var group sync.WaitGroup
			group.Go(func() { first.Settle(ctx) })
			group.Go(func() { second.Settle(ctx) })
			group.Wait()
		}
		settle()
		for range 4 {
			w.clock.Step(time.Minute)
			settle()
		}
		numbers := map[string]int{}
		singly := map[string]int{}
		for _, one := range w.told {
			if strings.Contains(one.Title, "more conversations") {
				numbers[one.ID]++
			} else {
				singly[one.ID]++
			}
		}
		Expect(len(singly)).To(BeNumerically("<=", 2*5), "five by each process")
		Expect(numbers).To(HaveLen(1))
		for _, times := range numbers {
			Expect(times).To(Equal(1))
		}
		for _, one := range w.ledger.List(ledger.Filter{}) {
			Expect(one.State).To(Equal(conversation.Told))
		}
	})

	It("is over when nothing of it waits any more, and the next is another", func(ctx SpecContext) {
		w := newWorld()
		w.route.Spec.Steps[0].Wait.Duration, w.target = 24*time.Hour, 0
		d := w.dispatcher("rostra-0")
		flood := func() (said []event.Event) {
			for n := range 20 {
				e := w.mention(fmt.Sprint("author-", n), "hello")
				Expect(d.Handle(ctx, e)).To(Succeed())
				said = append(said, e)
			}
			d.Settle(ctx)
			w.clock.Step(time.Minute)
			d.Settle(ctx)
			return said
		}
		said := flood()
		Expect(w.open()).To(HaveLen(6))
		first := w.told[5]
		Expect(first.Title).To(ContainSubstring("more conversations"))
		for _, e := range said {
			Expect(w.open()).To(ContainElement(first.Incident))
			Expect(d.Handle(ctx, w.answer(e))).To(Succeed())
		}
		w.onClose = func(string, string, notify.Closing) error { return errDown }
		for range 5 {
			w.clock.Step(time.Minute)
			d.Settle(ctx)
		}
		Expect(w.open()).To(ContainElement(first.Incident))
		w.onClose = nil
		w.clock.Step(30 * time.Minute)
		d.Settle(ctx)
		Expect(w.open()).To(BeEmpty())
		Expect(w.closed).To(ContainElement(HaveField("Closing", And(
			HaveField("Incident", first.Incident), HaveField("Kind", first.Kind), HaveField("Urgency", first.Urgency), HaveField("Labels", first.Labels)))))
		Expect(w.ledger.Floods()).To(BeEmpty())

		By("beginning again")
		flood()
		second := w.told[len(w.told)-1]
		Expect(second.Title).To(ContainSubstring("more conversations"))
		Expect(second.Incident).NotTo(Equal(first.Incident), "or it wakes nobody")

		By("nobody answering for an hour")
		w.ledger = w.newLedger()
		d = w.dispatcher("rostra-1")
		w.clock.Step(59 * time.Minute)
		d.Settle(ctx)
		Expect(w.open()).To(ContainElement(second.Incident))
		w.clock.Step(2 * time.Minute)
		d.Settle(ctx)
		Expect(w.open()).To(HaveLen(5), "it has ended by itself where alerts do")
	})

	It("that goes on is of one incident, and of another after a quiet time", func(ctx SpecContext) {
		w := newWorld()
		w.route.Spec.Steps[0].Wait.Duration, w.target = 24*time.Hour, 0
		d := w.dispatcher("rostra-0")
		incidents := func() []string {
			names := []string{}
			for _, one := range w.told {
				if strings.Contains(one.Title, "more conversations") && !slices.Contains(names, one.Incident) {
					names = append(names, one.Incident)
				}
			}
			return names
		}
		more := func(minutes int) {
			for range minutes {
				for n := range 10 {
					Expect(d.Handle(ctx, w.mention(fmt.Sprint("author-", w.events, "-", n), "hello"))).To(Succeed())
				}
				d.Settle(ctx)
				w.clock.Step(time.Minute)
				d.Settle(ctx)
			}
		}
		more(5)
		Expect(incidents()).To(HaveLen(1))
		w.clock.Step(15 * time.Minute)
		d.Settle(ctx)
		more(5)
		Expect(incidents()).To(HaveLen(2))
		Expect(w.open()).NotTo(ContainElement(incidents()[0]), "the first is closed when the second begins")
		Expect(w.open()).To(ContainElement(incidents()[1]))
	})

	It("of which a process tells that dies is over as well", func(ctx SpecContext) {
		w := newWorld()
		d := w.dispatcher("rostra-0")
		said := []event.Event{}
		for n := range 20 {
			e := w.mention(fmt.Sprint("author-", n), "hello")
			Expect(d.Handle(ctx, e)).To(Succeed())
			said = append(said, e)
		}
		d.Settle(ctx)
		w.clock.Step(time.Minute)
		broken, stop := context.WithCancel(ctx)
		w.onTell = func(string, string, notify.Message) error {
			w.table.before = func(string) error { return inbox.ErrUnavailable }
			stop()
			return nil
		}
		d.Settle(broken)
		w.onTell, w.table.before = nil, nil
		Expect(w.who()).To(HaveLen(6))
		w.ledger = w.newLedger()
		d = w.dispatcher("rostra-1")
		for _, e := range said {
			Expect(d.Handle(ctx, w.answer(e))).To(Succeed())
		}
		for range 3 {
			w.clock.Step(time.Minute)
			d.Settle(ctx)
		}
		Expect(w.open()).To(BeEmpty())
		Expect(w.who()).To(HaveLen(6))
	})

	It("that cannot be told is tried thrice, and is then the next one's", func(ctx SpecContext) {
		w := newWorld()
		d := w.dispatcher("rostra-0")
		w.route.Spec.Steps[1].Wait.Duration = 24 * time.Hour
		w.target = 0
		for n := range 50 {
			Expect(d.Handle(ctx, w.mention(fmt.Sprint("author-", n), "hello"))).To(Succeed())
		}
		d.Settle(ctx)
		tries := map[string]int{}
		w.onTell = func(who, _ string, m notify.Message) error {
			if who == "care/nina" {
				tries[m.ID]++
				return errDown
			}
			return nil
		}
		for range 10 {
			w.clock.Step(time.Minute)
			d.Settle(ctx)
		}
		Expect(tries).To(HaveLen(1))
		Expect(w.who()).To(ContainElement("care/maria"))
		for _, one := range w.ledger.List(ledger.Filter{}) {
			Expect(one.State).To(Equal(conversation.Told))
		}
	})

	It("of one channel does not hold up another", func(ctx SpecContext) {
		w := newWorld()
		d := w.dispatcher("rostra-0")
		for n := range 50 {
			Expect(d.Handle(ctx, w.mention(fmt.Sprint("author-", n), "hello"))).To(Succeed())
		}
		e := w.mention("jo", "hello")
		e.ChannelUID, e.Channel = "uid-2", "social/other"
		Expect(d.Handle(ctx, e)).To(Succeed())
		d.Settle(ctx)
		Expect(w.who()).To(HaveLen(6))
	})
})

var _ = Describe("A dispatcher that runs", func() {
	It("takes turns by its clock, and ends with its context", func(sctx SpecContext) {
		w := newWorld()
		d := w.dispatcher("rostra-0")
		ctx, stop := context.WithCancel(sctx)
		ended := make(chan error, 1)
		go func() { ended <- d.Start(ctx) }()
		Expect(d.Handle(ctx, w.mention("jo", "hello"))).To(Succeed())
		Eventually(w.who).Should(HaveLen(1))
		Eventually(w.clock.HasWaiters).Should(BeTrue())
		Eventually(func() []string {
			w.clock.Step(time.Minute)
			return w.who()
		}).Should(ContainElement("care/maria"))
		stop()
		Eventually(ended).Should(Receive(BeNil()))
	})
})

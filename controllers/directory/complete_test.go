// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package directory_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
)

// adapter is a platform that completes events. It answers nothing else.
type adapter struct {
	platform.Platform

	asked    []platform.Account
	deadline time.Duration
	answer   func(context.Context, event.Event) (event.Event, error)
}

func (*adapter) NormaliseHandle(handle string) (string, error) {
	return strings.TrimPrefix(handle, "@"), nil
}

func (*adapter) SourceKeys() []platform.SourceKey {
	return []platform.SourceKey{{Name: "access-token", Required: true, Purpose: "the account's token"}}
}

func (*adapter) Incomplete(e event.Event) bool { return e.Kind == event.Mention && e.PostID == "" }

func (a *adapter) Complete(ctx context.Context, account platform.Account, e event.Event) (event.Event, error) {
	a.asked = append(a.asked, account)
	if until, ok := ctx.Deadline(); ok {
		a.deadline = time.Until(until)
	}
	if a.answer != nil {
		return a.answer(ctx, e)
	}
	e.PostID, e.URL = "7", "https://social.acme.example/@pia/7"
	return e, nil
}

// plain is a platform whose deliveries tell all.
type plain struct{ platform.Platform }

// application is a platform where Rostra is something.
type application struct{ *adapter }

func (application) ApplicationKeys() []platform.SourceKey {
	return []platform.SourceKey{{Name: "client-id", Required: true, Purpose: "its ID"}}
}

var _ = Describe("A mention that was not told whole", func() {
	mention := event.Event{ID: "34975861", Kind: event.Mention, Type: "mention", Text: "anybody there?", ThreadID: "34975861", Channel: "social/help", ChannelUID: uid}
	counted := func(w *world, outcome string) float64 {
		return testutil.ToFloat64(w.directory.Completed.WithLabelValues(outcome))
	}

	It("is completed with the channel's source credential, and nothing is written", func(ctx SpecContext) {
		w := newWorld(channel(func(c *v1alpha1.SocialChannel) { c.Spec.ManagementPolicy = v1alpha1.ManagementObserve }))
		want := mention
		want.PostID, want.URL = "7", "https://social.acme.example/@pia/7"
		Expect(w.directory.Complete(ctx, mention)).To(Equal(want))
		Expect(w.adapter.asked).To(HaveLen(1))
		account := w.adapter.asked[0]
		Expect(account.Handle).To(Equal("help"))
		Expect(account.ID).To(Equal("1"))
		Expect(account.Source.Get("access-token")).To(Equal(hidden))
		Expect(account.Renew).To(BeFalse())
		Expect(account.Sessions.Load(ctx)).To(BeNil())
		Expect(w.adapter.deadline).To(And(BeNumerically(">", 0), BeNumerically("<=", 2*time.Second)))
		Expect(counted(w, "completed")).To(Equal(1.0))
		Expect(w.written).To(BeZero())
		Expect(w.log).To(BeEmpty())

		Expect(w.directory.Complete(ctx, want)).To(Equal(want))
		Expect(w.adapter.asked).To(HaveLen(1), "it needs nothing more")
	})

	It("is completed as what Rostra is at the platform, where it is something", func(ctx SpecContext) {
		own := secret("", "client-id", "rostra")
		own.Namespace, own.Name = "rostra-system", "x-app"
		x := mastodonPlatform()
		x.Spec = v1alpha1.SocialPlatformSpec{Type: v1alpha1.PlatformX, X: &v1alpha1.XPlatform{}}
		x.Spec.X.ApplicationSecretRef.Name = "x-app"
		w := newWorld(own, x)
		w.directory.Platforms = platform.NewDirectory(platform.Registry{"X": func(string) (platform.Platform, error) { return application{w.adapter}, nil }})
		Expect(w.directory.Complete(ctx, mention).PostID).To(Equal("7"))
		Expect(w.adapter.asked[0].Application.Get("client-id")).To(Equal("rostra"))

		Expect(w.Delete(ctx, own)).To(Succeed())
		Expect(w.directory.Complete(ctx, mention)).To(Equal(mention))
		Expect(counted(w, "failed")).To(Equal(1.0))
	})

	DescribeTable("stays as it is, and nobody is asked or counted, where", func(ctx SpecContext, e event.Event, change func(*world)) {
		w := newWorld()
		if change != nil {
			change(w)
		}
		Expect(w.directory.Complete(ctx, e)).To(Equal(e))
		Expect(w.adapter.asked).To(BeEmpty())
		Expect(testutil.CollectAndCount(w.directory.Completed)).To(BeZero())
	},
		Entry("it needs nothing", event.Event{ID: "1", Kind: event.Mention, PostID: "2", Channel: "social/help", ChannelUID: uid}, nil),
		Entry("it is of no channel", event.Event{ID: "1", Kind: event.Mention}, nil),
		Entry("its channel has no name", event.Event{ID: "1", Kind: event.Mention, Channel: "help", ChannelUID: uid}, nil),
		Entry("its channel is another by now", event.Event{ID: "1", Kind: event.Mention, Channel: "social/help", ChannelUID: "another"}, nil),
		Entry("its channel is gone", event.Event{ID: "1", Kind: event.Mention, Channel: "social/gone", ChannelUID: uid}, nil),
		Entry("no platforms are known", mention, func(w *world) { w.directory.Platforms = nil }),
		Entry("the platform tells all", mention, func(w *world) {
			w.directory.Platforms = platform.NewDirectory(platform.Registry{"Mastodon": func(string) (platform.Platform, error) { return plain{}, nil }})
		}),
		Entry("the platform is gone", mention, func(w *world) { Expect(w.Delete(context.Background(), mastodonPlatform())).To(Succeed()) }),
	)

	DescribeTable("stays as it is where the channel's credential is to be let be", func(ctx SpecContext, change func(*v1alpha1.SocialChannel)) {
		w := newWorld(channel(change))
		Expect(w.directory.Complete(ctx, mention)).To(Equal(mention))
		Expect(w.adapter.asked).To(BeEmpty())
		Expect(counted(w, "held")).To(Equal(1.0))
	},
		Entry("suspended", func(c *v1alpha1.SocialChannel) { c.Spec.Suspend = new(true) }),
		Entry("frozen", func(c *v1alpha1.SocialChannel) {
			c.Status.Freeze = &v1alpha1.ChannelFreeze{Names: []string{"incident"}}
		}),
		Entry("never verified", func(c *v1alpha1.SocialChannel) { c.Status.Account, c.Status.Conditions = nil, nil }),
		Entry("another account's", func(c *v1alpha1.SocialChannel) {
			c.Status.Conditions[0].Status, c.Status.Conditions[0].Reason = metav1.ConditionFalse, "AccountMismatch"
		}),
	)

	DescribeTable("is completed where nothing is wrong with the credential", func(ctx SpecContext, status metav1.ConditionStatus, reason string) {
		w := newWorld(channel(func(c *v1alpha1.SocialChannel) {
			c.Status.Conditions[0].Status, c.Status.Conditions[0].Reason = status, reason
		}))
		Expect(w.directory.Complete(ctx, mention).PostID).To(Equal("7"))
	},
		Entry("the handle is another", metav1.ConditionFalse, v1alpha1.ReasonHandleDrift),
		Entry("the platform could not be asked for a while", metav1.ConditionUnknown, v1alpha1.ReasonPlatformUnavailable),
	)

	DescribeTable("stays as it is where something fails", func(ctx SpecContext, change func(*world)) {
		w := newWorld()
		change(w)
		Expect(w.directory.Complete(ctx, mention)).To(Equal(mention))
		Expect(counted(w, "failed")).To(Equal(1.0))
		Expect(w.log).To(ConsistOf(And(ContainSubstring("social/help"), ContainSubstring(mention.ID), Not(ContainSubstring(hidden)), Not(ContainSubstring(mention.Text)))))
	},
		Entry("the cache", func(w *world) { w.failing["SocialChannel"] = errors.New("away") }),
		Entry("the cache of platforms", func(w *world) { w.failing["SocialPlatform"] = errors.New("away") }),
		Entry("the API server", func(w *world) { w.failing["Secret"] = errors.New("away") }),
		Entry("the Secret is gone", func(w *world) { Expect(w.Delete(context.Background(), secret("help-source"))).To(Succeed()) }),
		Entry("there is no adapter", func(w *world) { w.directory.Platforms = platform.NewDirectory(platform.Registry{}) }),
		Entry("the platform, whatever it gives beside", func(w *world) {
			w.adapter.answer = func(context.Context, event.Event) (event.Event, error) {
				return event.Event{ID: "another"}, &platform.Failure{Class: platform.Transient, Message: "the server is out of order for now"}
			}
		}),
		Entry("the platform is given up", func(w *world) {
			w.adapter.answer = func(_ context.Context, e event.Event) (event.Event, error) {
				return e, &platform.Failure{Class: platform.Transient, Cause: context.DeadlineExceeded}
			}
		}),
	)

	It("stays as it is where the platform has it no longer", func(ctx SpecContext) {
		w := newWorld()
		w.adapter.answer = func(_ context.Context, e event.Event) (event.Event, error) { return e, nil }
		Expect(w.directory.Complete(ctx, mention)).To(Equal(mention))
		Expect(counted(w, "unchanged")).To(Equal(1.0))
		Expect(w.log).To(BeEmpty())
	})

	It("leaves most of the account's requests to others, also in a flood", func(ctx SpecContext) {
		w := newWorld()
		for i := range 300 {
			one := mention
			one.ID = fmt.Sprint(i)
			w.directory.Complete(ctx, one)
			w.clock.SetTime(w.clock.Now().Add(time.Second))
		}
		Expect(len(w.adapter.asked)).To(And(BeNumerically(">=", 80), BeNumerically("<=", 90)))
		Expect(counted(w, "completed") + counted(w, "spared")).To(Equal(300.0))
	})

	DescribeTable("is not asked for where the last question was refused for good", func(ctx SpecContext, failure *platform.Failure, rest time.Duration) {
		w := newWorld()
		if failure.Class == platform.RateLimited && rest != time.Minute {
			failure.RetryAt = w.clock.Now().Add(rest)
		}
		w.adapter.answer = func(_ context.Context, e event.Event) (event.Event, error) { return e, failure }
		for range 3 {
			w.directory.Complete(ctx, mention)
		}
		Expect(w.adapter.asked).To(HaveLen(1))
		Expect(counted(w, "spared")).To(Equal(2.0))
		w.clock.SetTime(w.clock.Now().Add(min(rest, 15*time.Minute) - time.Second))
		w.directory.Complete(ctx, mention)
		Expect(w.adapter.asked).To(HaveLen(1))
		w.clock.SetTime(w.clock.Now().Add(time.Second))
		w.adapter.answer = nil
		Expect(w.directory.Complete(ctx, mention).PostID).To(Equal("7"))
	},
		Entry("a scope is missing", &platform.Failure{Class: platform.InsufficientScope}, time.Minute),
		Entry("the token is not known", &platform.Failure{Class: platform.Unauthorized}, time.Minute),
		Entry("too many requests", &platform.Failure{Class: platform.RateLimited}, time.Minute),
		Entry("too many requests until then", &platform.Failure{Class: platform.RateLimited}, 4*time.Minute),
		Entry("too many requests until tomorrow", &platform.Failure{Class: platform.RateLimited}, 24*time.Hour),
	)

	It("is asked for where the last question alone failed", func(ctx SpecContext) {
		w := newWorld()
		w.adapter.answer = func(_ context.Context, e event.Event) (event.Event, error) {
			return e, &platform.Failure{Class: platform.Unknown}
		}
		for range 3 {
			w.directory.Complete(ctx, mention)
		}
		Expect(w.adapter.asked).To(HaveLen(3), "a stranger's post that cannot be read is no reason to pass over the next")
	})

	It("is not asked for where the platform was too slow, for any channel of it", func(ctx SpecContext) {
		second := channel()
		second.Name, second.UID = "news", "another"
		w := newWorld(second)
		w.adapter.answer = func(ctx context.Context, e event.Event) (event.Event, error) {
			<-ctx.Done()
			return e, &platform.Failure{Class: platform.Transient, Message: "no answer"}
		}
		short, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		Expect(w.directory.Complete(short, mention)).To(Equal(mention))
		Expect(counted(w, "failed")).To(Equal(1.0))
		w.adapter.answer = nil
		other := mention
		other.Channel, other.ChannelUID = "social/news", "another"
		for _, one := range []event.Event{mention, other} {
			Expect(w.directory.Complete(ctx, one)).To(Equal(one))
		}
		Expect(counted(w, "spared")).To(Equal(2.0))
		w.clock.SetTime(w.clock.Now().Add(time.Minute))
		for _, one := range []event.Event{mention, other} {
			Expect(w.directory.Complete(ctx, one).PostID).To(Equal("7"))
		}
	})

	It("is asked for where whoever asked went away", func(ctx SpecContext) {
		w := newWorld()
		stopped, stop := context.WithCancel(ctx)
		w.adapter.answer = func(ctx context.Context, e event.Event) (event.Event, error) {
			stop()
			<-ctx.Done()
			return e, &platform.Failure{Class: platform.Transient, Cause: ctx.Err()}
		}
		Expect(w.directory.Complete(stopped, mention)).To(Equal(mention))
		w.adapter.answer = nil
		Expect(w.directory.Complete(ctx, mention).PostID).To(Equal("7"))
	})

	It("of one channel costs another nothing", func(ctx SpecContext) {
		second := channel()
		second.Name, second.UID = "news", "another"
		w := newWorld(second)
		w.adapter.answer = func(_ context.Context, e event.Event) (event.Event, error) {
			return e, &platform.Failure{Class: platform.RateLimited}
		}
		w.directory.Complete(ctx, mention)
		w.adapter.answer = nil
		other := mention
		other.Channel, other.ChannelUID = "social/news", "another"
		Expect(w.directory.Complete(ctx, other).PostID).To(Equal("7"))
	})
})

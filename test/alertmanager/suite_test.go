// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package alertmanager_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/notify"
	"github.com/rostra-dev/rostra/test/alertmanager"
)

var server *alertmanager.Server

func TestAlertmanager(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(10 * time.Second) // a busy machine is no failure
	RunSpecs(t, "alertmanager")
}

var _ = BeforeSuite(func(ctx context.Context) {
	var err error
	server, err = alertmanager.Start(ctx, GinkgoWriter)
	if errors.Is(err, alertmanager.ErrUnavailable) {
		Skip(err.Error())
	}
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(server.Stop()).To(Succeed()) })
})

// open makes the Notifier of the server's address.
func open() (notify.Notifier, notify.Closer) {
	GinkgoHelper()
	client, err := httpx.New(httpx.Options{
		UserAgent: "rostra-test/1", AllowedPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, AccountBurst: 1000,
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(client.CloseIdleConnections)
	opener, err := notify.New(notify.Options{HTTP: client})
	Expect(err).NotTo(HaveOccurred())
	notifier, err := opener.Open(notify.Address{URL: credentials.NewValue("alertmanager+" + server.URL())})
	Expect(err).NotTo(HaveOccurred())
	closer, ok := notifier.(notify.Closer)
	Expect(ok).To(BeTrue())
	return notifier, closer
}

// telling of an incident of its own.
func telling() notify.Message {
	now := time.Now()
	incident := strings.ReplaceAll(CurrentSpecReport().LeafNodeText, " ", "-")
	return notify.Message{
		ID: incident + "-1", Incident: incident, Urgency: notify.High, At: now, Until: now.Add(time.Hour),
		Title: "Nobody has answered @help on Bluesky for 15 min",
		Facts: []notify.Fact{{Name: "Where", Value: "brand-eu/help"}, {Name: "Owner", Value: "care"}},
		Link:  "https://bsky.app/profile/x/post/1", Acknowledge: "https://rostra.brand.example/ack/s3cret",
		Labels: map[string]string{"namespace": "brand-eu", "channel": "help", "step": "1"}, Team: "care", Member: "maria",
	}
}

func closing(m notify.Message, at time.Time) notify.Closing {
	return notify.Closing{
		Incident: m.Incident, Kind: m.Kind, Urgency: m.Urgency, Labels: m.Labels, Team: m.Team, Member: m.Member,
		Started: m.At, At: at,
	}
}

// alerts of one incident that Alertmanager holds.
func alerts(ctx context.Context, incident string) ([]alertmanager.Alert, error) {
	all, err := server.Alerts(ctx)
	var mine []alertmanager.Alert
	for _, alert := range all {
		if alert.Labels["incident"] == incident {
			mine = append(mine, alert)
		}
	}
	return mine, err
}

var _ = Describe("A real Alertmanager", func() {
	It("shows what it was told", func(ctx context.Context) {
		notifier, _ := open()
		m := telling()
		Expect(notifier.Tell(ctx, m)).To(Succeed())
		Eventually(ctx, alerts).WithArguments(m.Incident).Should(HaveLen(1))
		shown, err := alerts(ctx, m.Incident)
		Expect(err).NotTo(HaveOccurred())
		Expect(shown[0].Labels).To(Equal(map[string]string{
			"alertname": "RostraUnanswered", "incident": m.Incident, "severity": "critical",
			"namespace": "brand-eu", "channel": "help", "step": "1", "team": "care", "member": "maria",
		}))
		Expect(shown[0].Annotations).To(Equal(map[string]string{
			"summary": m.Title, "description": "Where: brand-eu/help\nOwner: care", "link": m.Link, "acknowledge": m.Acknowledge,
		}))
		Expect(shown[0].StartsAt).To(BeTemporally("~", m.At, time.Second))
		Expect(shown[0].EndsAt).To(BeTemporally("~", m.Until, time.Second))
		Expect(shown[0].GeneratorURL).To(Equal(m.Link))
		Eventually(ctx, func() (string, error) {
			shown, err := alerts(ctx, m.Incident)
			return shown[0].Status.State, err
		}).Should(Equal("active"))
	})

	It("folds two tellings of one step, and keeps two people apart", func(ctx context.Context) {
		notifier, _ := open()
		m := telling()
		Expect(notifier.Tell(ctx, m)).To(Succeed())
		again := m
		again.ID, again.At, again.Until = "another", m.At.Add(time.Minute), m.Until.Add(time.Minute)
		Expect(notifier.Tell(ctx, again)).To(Succeed())
		Eventually(ctx, alerts).WithArguments(m.Incident).Should(HaveLen(1))
		next := m
		next.ID, next.Member, next.Labels = "next", "manager", map[string]string{"step": "2"}
		Expect(notifier.Tell(ctx, next)).To(Succeed())
		Eventually(ctx, alerts).WithArguments(m.Incident).Should(HaveLen(2))
	})

	It("ends what is closed by a clock that is ahead of its own, or behind", func(ctx context.Context) {
		for _, skew := range []time.Duration{3 * time.Second, time.Minute, -time.Minute} {
			notifier, closer := open()
			m := telling()
			Expect(notifier.Tell(ctx, m)).To(Succeed())
			Eventually(ctx, alerts).WithArguments(m.Incident).Should(HaveLen(1))
			Expect(closer.Close(ctx, closing(m, time.Now().Add(skew)))).To(Succeed())
			Eventually(ctx, alerts).WithArguments(m.Incident).Should(BeEmpty(), skew.String())
		}
	})

	It("holds what is silenced", func(ctx context.Context) {
		notifier, _ := open()
		m := telling()
		Expect(server.Silence(ctx, "incident", m.Incident, m.At.Add(time.Second), m.Until)).To(Succeed())
		Expect(notifier.Tell(ctx, m)).To(Succeed())
		Eventually(ctx, func() ([]string, error) {
			held, err := alerts(ctx, m.Incident)
			if err != nil || len(held) != 1 || held[0].Status.State != "suppressed" {
				return nil, err
			}
			return held[0].Status.SilencedBy, nil
		}).Should(HaveLen(1))
	})

	It("resolves what is closed, and opens it again", func(ctx context.Context) {
		notifier, closer := open()
		m := telling()
		Expect(notifier.Tell(ctx, m)).To(Succeed())
		Eventually(ctx, alerts).WithArguments(m.Incident).Should(HaveLen(1))
		Expect(closer.Close(ctx, closing(m, time.Now()))).To(Succeed())
		Eventually(ctx, alerts).WithArguments(m.Incident).Should(BeEmpty())
		m.At = time.Now()
		Expect(notifier.Tell(ctx, m)).To(Succeed())
		Eventually(ctx, alerts).WithArguments(m.Incident).Should(HaveLen(1))
	})

	It("resolves what ended before it began, by our clock", func(ctx context.Context) {
		notifier, closer := open()
		m := telling()
		Expect(notifier.Tell(ctx, m)).To(Succeed())
		Eventually(ctx, alerts).WithArguments(m.Incident).Should(HaveLen(1))
		Expect(closer.Close(ctx, closing(m, m.At.Add(-time.Minute)))).To(Succeed())
		Eventually(ctx, alerts).WithArguments(m.Incident).Should(BeEmpty())
	})

	It("refuses what is no alert, and that is a failure", func(ctx context.Context) {
		notifier, _ := open()
		m := telling()
		m.At, m.Until = time.Now(), time.Now().Add(-time.Hour) // it would end before it starts
		failure, ok := errors.AsType[*notify.Failure](notifier.Tell(ctx, m))
		Expect(ok).To(BeTrue())
		Expect(failure.Permanent).To(BeTrue())
		Expect(failure.Status).To(Equal(400))
		Expect(failure.Error()).NotTo(ContainSubstring("s3cret"))
	})

	It("is built once", func(ctx context.Context) {
		first, err := alertmanager.Build(ctx, GinkgoWriter)
		Expect(err).NotTo(HaveOccurred())
		Expect(alertmanager.Build(ctx, nil)).To(Equal(first))
		Expect(os.Stat(first)).NotTo(BeNil())
	})
})

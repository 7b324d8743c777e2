// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notices_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// server is a platform whose accounts are looked for. Its status lists so many.
type server struct {
	*world

	lists    int
	accounts []string
}

func newServer(ctx context.Context, lists int, accounts ...string) *server {
	GinkgoHelper()
	social := &v1alpha1.SocialPlatform{ObjectMeta: metav1.ObjectMeta{Name: "bluesky"}}
	social.Spec.Discovery = &v1alpha1.AccountDiscovery{ContactTeamRef: &v1alpha1.ClusterReference{Name: "care"}}
	s := &server{newWorld(social), lists, accounts}
	s.clock.SetTime(inMorning)
	s.listed(ctx)
	return s
}

// numbered are IDs in the order in which the status lists accounts.
func numbered(from, to int) []string {
	var ids []string
	for i := from; i <= to; i++ {
		ids = append(ids, fmt.Sprintf("id-%03d", i))
	}
	return ids
}

func (s *server) edit(ctx context.Context, change func(*v1alpha1.SocialPlatform)) {
	GinkgoHelper()
	social := &v1alpha1.SocialPlatform{}
	Expect(s.Get(ctx, client.ObjectKey{Name: "bluesky"}, social)).To(Succeed())
	change(social)
	Expect(s.Update(ctx, social)).To(Succeed())
	s.look(ctx)
}

// listed has the status say which accounts there are, a minute later.
func (s *server) listed(ctx context.Context) {
	GinkgoHelper()
	s.clock.SetTime(s.clock.Now().Add(time.Minute))
	slices.Sort(s.accounts)
	s.edit(ctx, func(social *v1alpha1.SocialPlatform) {
		social.Status.Unclaimed = &v1alpha1.UnclaimedAccounts{Count: new(int32(len(s.accounts)))}
		for _, id := range s.accounts[:min(len(s.accounts), s.lists)] {
			social.Status.Unclaimed.Accounts = append(social.Status.Unclaimed.Accounts, v1alpha1.UnclaimedAccount{ID: id, Handle: "@" + id})
		}
	})
}

func (s *server) joins(ctx context.Context, ids ...string) {
	GinkgoHelper()
	s.accounts = append(s.accounts, ids...)
	s.listed(ctx)
}

func (s *server) claims(ctx context.Context, ids ...string) {
	GinkgoHelper()
	s.accounts = slices.DeleteFunc(s.accounts, func(id string) bool { return slices.Contains(ids, id) })
	s.listed(ctx)
}

// says gives the title and the words of the last of so many notices.
func (s *server) says(notices int) string {
	GinkgoHelper()
	Expect(s.pager.told).To(HaveLen(notices))
	last := s.pager.told[notices-1]
	Expect(last.Facts).To(HaveLen(1))
	return last.Title + ": " + last.Facts[0].Value
}

var _ = Describe("An unclaimed account", Label("S16"), func() {
	It("is told by its name, and again only when it is lost again", func(ctx SpecContext) {
		s := newServer(ctx, 100, "campaign")
		Expect(s.says(1)).To(And(HavePrefix("1 account on bluesky belongs to nobody: `rostra adopt bluesky`"), HaveSuffix("; new: @campaign")))
		s.joins(ctx, "pop-up")
		Expect(s.says(2)).To(And(HavePrefix("2 accounts on bluesky belong to nobody: "), HaveSuffix("; new: @pop-up")))
		s.claims(ctx, "campaign")
		s.says(2)
		s.joins(ctx, "campaign")
		Expect(s.says(3)).To(HaveSuffix("; new: @campaign"))
	})

	It("is told again although nothing else was told in between", func(ctx SpecContext) {
		s := newServer(ctx, 100, "campaign")
		s.claims(ctx, "campaign")
		Expect(s.pager.closed).To(HaveLen(1))
		s.world = s.again()
		s.joins(ctx, "campaign")
		s.says(2)
		Expect(s.pager.told[1].ID).NotTo(Equal(s.pager.told[0].ID))
	})

	It("is not told again after a while in which the list was not known", func(ctx SpecContext) {
		s := newServer(ctx, 100, numbered(1, 150)...)
		s.edit(ctx, func(social *v1alpha1.SocialPlatform) { social.Status.Unclaimed = nil })
		s.listed(ctx)
		s.says(1)
		Expect(s.pager.closed).To(BeEmpty())
	})

	It("is another contact's once the platform names that one", func(ctx SpecContext) {
		s := newServer(ctx, 100, "campaign")
		s.edit(ctx, func(social *v1alpha1.SocialPlatform) { social.Spec.Discovery.ContactTeamRef.Name = "excellence" })
		Expect(s.pager.closed).To(HaveLen(1))
	})

	Describe("among more than are listed", func() {
		var s *server
		BeforeEach(func(ctx SpecContext) {
			s = newServer(ctx, 100, numbered(1, 178)...)
			Expect(s.says(1)).To(And(HavePrefix("178 accounts on bluesky belong to nobody: "), HaveSuffix("; new: @id-001, @id-002, @id-003 and 175 more")))
		})

		It("is not new because others were claimed", func(ctx SpecContext) {
			for _, id := range numbered(1, 60) {
				s.claims(ctx, id)
			}
			s.claims(ctx, numbered(61, 160)...)
			s.claims(ctx, numbered(161, 170)...)
			s.says(1)
			s.joins(ctx, "id-165")
			Expect(s.says(2)).To(HaveSuffix("; new: @id-165"), "of a list that is whole")
		})

		It("is told that pushes another out of the list, which is not new when it is back", func(ctx SpecContext) {
			s.joins(ctx, "id-000")
			Expect(s.says(2)).To(And(HavePrefix("179 accounts"), HaveSuffix("; new: @id-000")))
			s.claims(ctx, "id-000")
			s.says(2)
			s.joins(ctx, "id-000")
			s.says(3)
		})

		It("is told although as many were claimed meanwhile", func(ctx SpecContext) {
			s.accounts = s.accounts[10:]
			s.joins(ctx, "id-050a")
			Expect(s.says(2)).To(And(HavePrefix("169 accounts"), HaveSuffix("; new: @id-050a")))
		})

		It("is told without a name behind the list, once", func(ctx SpecContext) {
			s.joins(ctx, "id-150a", "id-150b")
			Expect(s.says(2)).To(And(HavePrefix("180 accounts"), HaveSuffix("; new: 2")))
			s.world = s.again()
			s.listed(ctx)
			s.claims(ctx, numbered(1, 90)...)
			s.claims(ctx, numbered(91, 130)...)
			s.says(2)
		})

		It("is told in the morning, whatever was claimed in the night", func(ctx SpecContext) {
			s.clock.SetTime(atNight)
			s.joins(ctx, "id-000", "id-999")
			s.says(1)
			s.claims(ctx, "id-001", "id-002", "id-003")
			s.clock.SetTime(inMorning)
			s.look(ctx)
			Expect(s.says(2)).To(And(HavePrefix("177 accounts"), HaveSuffix("; new: @id-000 and 1 more")))
			s.look(ctx)
			s.says(2)
		})

		It("keeps the last alert open, and no other", func(ctx SpecContext) {
			s.joins(ctx, "id-999")
			s.look(ctx)
			Expect(s.pager.closed).To(HaveLen(1))
			Expect(s.pager.closed[0].Incident).To(Equal(s.pager.told[0].Incident))
			s.claims(ctx, numbered(1, 150)...)
			Expect(s.pager.closed).To(HaveLen(2))
		})
	})

	It("is told where there are more than are listed for the first time", func(ctx SpecContext) {
		s := newServer(ctx, 100, numbered(1, 95)...)
		s.joins(ctx, append(numbered(200, 209), "id-000")...)
		Expect(s.says(2)).To(And(HavePrefix("106 accounts"), HaveSuffix("; new: @id-000, @id-200, @id-201 and 8 more")))
		s.claims(ctx, numbered(1, 50)...)
		s.says(2)
	})

	It("is looked for where the words of the message say, of many platforms", func(ctx SpecContext) {
		s := newServer(ctx, 100)
		for i := range 12 {
			social := &v1alpha1.SocialPlatform{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("server-", i)}}
			social.Spec.Discovery = &v1alpha1.AccountDiscovery{ContactTeamRef: &v1alpha1.ClusterReference{Name: "care"}}
			social.Status.Unclaimed = &v1alpha1.UnclaimedAccounts{Count: new(int32(1)), Accounts: []v1alpha1.UnclaimedAccount{{ID: "one"}}}
			Expect(s.Create(ctx, social)).To(Succeed())
		}
		s.look(ctx)
		facts := s.pager.told[0].Facts
		Expect(facts).To(HaveLen(11))
		Expect(facts[10].Value).To(Equal("2 more: kubectl get socialplatforms"))
	})
})

// TestUnclaimed: however accounts come and go and are listed, there are no more
// notices than accounts that came, one that comes alone is told of at once, and
// nothing is told where none came.
func TestUnclaimed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		RegisterTestingT(t)
		ctx := t.Context()
		s := newServer(ctx, rapid.IntRange(1, 6).Draw(t, "listed"))
		pool := numbered(1, 12)
		came, told := 0, 0
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "restarts") {
				s.world = s.again()
			}
			var comes, goes []string
			for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom(pool), 0, 4, rapid.ID).Draw(t, "accounts") {
				if slices.Contains(s.accounts, id) {
					goes = append(goes, id)
				} else {
					comes = append(comes, id)
				}
			}
			s.accounts = slices.DeleteFunc(s.accounts, func(id string) bool { return slices.Contains(goes, id) })
			s.joins(ctx, comes...)
			came += len(comes)
			now := len(s.pager.told)
			switch {
			case now > came:
				t.Fatalf("%d notices of %d accounts that came", now, came)
			case len(comes) == 0 && now > told:
				t.Fatalf("nothing came, and %v went, and it was told", goes)
			case len(comes) > len(goes) && now == told:
				t.Fatalf("%v came, and %v went, and nothing was told", comes, goes)
			}
			told = now
		}
	})
}

// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package credentials_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials"
)

// maxRetiring is what status.retiring can hold; see the schema.
const maxRetiring = 16

// anyHour is a whole hour within a few days of noon; few enough that things
// fall together.
func anyHour() *rapid.Generator[time.Time] {
	return rapid.Map(rapid.IntRange(-50, 50), func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) })
}

func anySpan() *rapid.Generator[time.Duration] {
	return rapid.Map(rapid.IntRange(0, 60), func(hours int) time.Duration { return time.Duration(hours) * time.Hour })
}

func anyPeople() *rapid.Generator[[]string] {
	return rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"care/maria", "care/dana", "care/zoe", "marketing/max"}), 0, 4, rapid.ID)
}

func anyID() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.Map(rapid.IntRange(1, 9), func(serial int) string { return fmt.Sprint(prefix, serial) }),
		rapid.SampledFrom([]string{"source-aaaa", "source-bbbb", "phone of maria", "rostra-000000000000-1"}),
	)
}

func anyRetiring() *rapid.Generator[v1alpha1.RetiringCredential] {
	return rapid.Custom(func(t *rapid.T) v1alpha1.RetiringCredential {
		made := v1alpha1.RetiringCredential{
			ID: anyID().Draw(t, "id"), Cause: v1alpha1.CauseRotation,
			RevokeAt: metav1.NewTime(anyHour().Draw(t, "revokeAt")),
		}
		if rapid.Bool().Draw(t, "tried in vain") {
			made.Message = "refused"
		}
		if !strings.HasPrefix(made.ID, credentials.MintedPrefix) {
			made.ExposedTo = anyPeople().Draw(t, "exposed")
		}
		return made
	})
}

func orZero(t *rapid.T, what string) time.Time {
	return rapid.OneOf(rapid.Just(time.Time{}), anyHour()).Draw(t, what)
}

func anyRecord(t *rapid.T) *v1alpha1.DeliveredCredential {
	if rapid.Bool().Draw(t, "nothing yet") {
		return nil
	}
	record := &v1alpha1.DeliveredCredential{
		ID: anyID().Draw(t, "recorded"), Serial: rapid.Int64Range(1, 9).Draw(t, "serial"),
		Team:      rapid.SampledFrom([]string{"care", "marketing"}).Draw(t, "held by"),
		Secret:    v1alpha1.DeliveredSecret{Namespace: "customer-care", Name: "acme-help"},
		IssuedAt:  metav1.NewTime(noon.Add(-anySpan().Draw(t, "age"))),
		ExposedTo: anyPeople().Draw(t, "exposed"),
	}
	if strings.HasPrefix(record.ID, prefix) {
		record.ID = fmt.Sprint(prefix, record.Serial)
	}
	if expires := orZero(t, "expires"); !expires.IsZero() {
		record.ExpiresAt = new(metav1.NewTime(expires))
	}
	if rapid.IntRange(0, 3).Draw(t, "withdrawn") == 0 {
		record.WithdrawnAt = new(metav1.NewTime(noon.Add(-time.Hour)))
	}
	if rapid.IntRange(0, 3).Draw(t, "revoked") == 0 {
		record.RevokedAt = new(metav1.NewTime(noon.Add(-time.Hour)))
	}
	return record
}

// anyFacts are facts as they can come together, and some that cannot.
func anyFacts() *rapid.Generator[credentials.Facts] {
	return rapid.Custom(func(t *rapid.T) credentials.Facts {
		facts := credentials.Facts{
			Now:      noon.Add(time.Duration(rapid.IntRange(0, 1e9-1).Draw(t, "fraction"))),
			Recorded: anyRecord(t),
			Retiring: rapid.SliceOfNDistinct(anyRetiring(), 0, 13, func(r v1alpha1.RetiringCredential) string { return r.ID }).Draw(t, "retiring"),
			Want:     credentials.Holder{Team: "care", Namespace: "customer-care", SecretName: "acme-help"},
			Secret: rapid.SampledFrom([]credentials.SecretState{
				credentials.SecretAsWritten, credentials.SecretAsWritten,
				credentials.SecretMissing, credentials.SecretAltered, credentials.SecretAhead, credentials.SecretEmptied,
			}).Draw(t, "secret"),
			Mintable:        rapid.Bool().Draw(t, "mintable"),
			SourceID:        rapid.SampledFrom([]string{"", "source-aaaa", "source-bbbb"}).Draw(t, "source"),
			SourceChanged:   true,
			SourceExpiresAt: orZero(t, "source expires"),
			Present:         anyPeople().Draw(t, "present"),
			Seen:            anyPeople().Draw(t, "seen"),
			RotateAt:        orZero(t, "rotate at"),
			Interval:        anySpan().Draw(t, "interval"),
			Overlap:         anySpan().Draw(t, "overlap"),
			RenewBefore:     anySpan().Draw(t, "renew before"),
		}
		if rapid.Bool().Draw(t, "asked") {
			facts.Issued = append([]string{}, rapid.SliceOfNDistinct(anyID(), 0, 8, rapid.ID).Draw(t, "issued")...)
		}
		if !facts.RotateAt.IsZero() {
			facts.RotateAt = facts.RotateAt.Add(time.Duration(rapid.IntRange(0, 1e9-1).Draw(t, "rotate at fraction")))
		}
		return facts
	})
}

func copyOf(facts credentials.Facts) credentials.Facts {
	facts.Recorded = facts.Recorded.DeepCopy()
	facts.Retiring = slices.Clone(facts.Retiring)
	for i := range facts.Retiring {
		facts.Retiring[i] = *facts.Retiring[i].DeepCopy()
	}
	facts.Issued, facts.Present = slices.Clone(facts.Issued), slices.Clone(facts.Present)
	return facts
}

// obtained is what is delivered next, at the precision at which it is recorded.
func obtained(facts credentials.Facts) v1alpha1.DeliveredCredential {
	id := facts.SourceID
	if facts.Mintable {
		id = credentials.NextID(prefix, facts.Recorded)
	}
	return v1alpha1.DeliveredCredential{
		ID: id, Team: facts.Want.Team,
		Secret:   v1alpha1.DeliveredSecret{Namespace: facts.Want.Namespace, Name: facts.Want.SecretName},
		IssuedAt: metav1.NewTime(facts.Now.Truncate(time.Second)),
	}
}

var _ = Describe("Whatever the facts", func() {
	It("decides the same twice, and changes nothing", func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			facts := anyFacts().Draw(t, "facts")
			before := copyOf(facts)
			decision := decide(facts)
			g.Expect(decide(facts)).To(Equal(decision))
			g.Expect(decide(copyOf(facts))).To(Equal(decision))
			g.Expect(facts).To(Equal(before))
			if decision.Replace == "" {
				g.Expect(decision.Why).To(BeEmpty())
			} else {
				g.Expect(decision.Why).NotTo(BeEmpty(), "a reason that a person can read")
			}
			g.Expect(decision.Verdict.Reason).NotTo(BeEmpty())
			g.Expect(decision.Verdict.Message).NotTo(BeEmpty())
			if decision.Verdict.OK && decision.Replace == "" {
				g.Expect(facts.Secret).To(Equal(credentials.SecretAsWritten))
				g.Expect(facts.Present).To(ContainElements(facts.Recorded.ExposedTo))
			}
		})
	})

	It("decides the same until it wakes", func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			facts := anyFacts().Draw(t, "facts")
			decision := decide(facts)
			until := facts.Now.Add(100 * day)
			if !decision.WakeAt.IsZero() {
				g.Expect(decision.WakeAt).To(BeTemporally(">", facts.Now))
				until = decision.WakeAt
			}
			span := until.Sub(facts.Now)
			facts.Now = facts.Now.Add(min(span-1, time.Duration(rapid.Int64Range(0, int64(span)).Draw(t, "later"))))
			later := decide(facts)
			g.Expect(later.Replace).To(Equal(decision.Replace))
			g.Expect(later.Revoke).To(Equal(decision.Revoke))
			g.Expect(later.Strays).To(Equal(decision.Strays))
			g.Expect(later.WakeAt).To(Equal(decision.WakeAt))
			if decision.Replace == "" {
				g.Expect(later.Verdict).To(Equal(decision.Verdict))
			}
		})
	})

	It("never revokes what is in use, and takes for a stray only what is this channel's and nobody's", Label("S22"), func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			facts := anyFacts().Draw(t, "facts")
			decision := decide(facts)
			for _, retiring := range decision.Revoke {
				g.Expect(facts.Retiring).To(ContainElement(retiring))
				if facts.Recorded == nil || !slices.ContainsFunc(facts.Recorded.ExposedTo, func(person string) bool { return !slices.Contains(facts.Present, person) }) {
					g.Expect(retiring.RevokeAt.After(facts.Now)).To(BeFalse(), "not before its time")
				}
			}
			unwanted := append(ids(decision.Revoke), decision.Strays...)
			if facts.Recorded != nil {
				g.Expect(unwanted).NotTo(ContainElement(facts.Recorded.ID))
			}
			for _, stray := range decision.Strays {
				g.Expect(stray).To(HavePrefix(prefix))
				g.Expect(facts.Issued).To(ContainElement(stray))
				g.Expect(ids(facts.Retiring)).NotTo(ContainElement(stray))
			}
		})
	})

	It("loses no credential when another takes its place", Label("S22"), func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			facts := anyFacts().Filter(func(f credentials.Facts) bool { return f.Mintable || f.SourceID != "" }).Draw(t, "facts")
			cause := decide(facts).Replace
			if cause == "" {
				t.Skip("nothing to replace")
			}
			before := copyOf(facts)
			record, retired := credentials.Succeed(facts, cause, obtained(facts))
			g.Expect(facts).To(Equal(before), "the facts are not changed")

			left := ids(retired)
			g.Expect(left).NotTo(ContainElement(record.ID), "what is in use is not on its way out")
			g.Expect(slices.Compact(slices.Sorted(slices.Values(left)))).To(HaveLen(len(left)), "no ID twice")
			g.Expect(len(left)).To(BeNumerically("<=", maxRetiring))
			for _, old := range facts.Retiring {
				if gone := facts.Recorded != nil && facts.Recorded.RevokedAt != nil && old.ID == facts.Recorded.ID; old.ID != record.ID && !gone {
					g.Expect(left).To(ContainElement(old.ID), "none is forgotten")
				}
			}
			if facts.Recorded != nil && facts.Recorded.ID != record.ID && facts.Recorded.RevokedAt == nil {
				g.Expect(left).To(ContainElement(facts.Recorded.ID), "the old one is to be revoked")
			}
			for _, entry := range retired {
				g.Expect(entry.RevokeAt.After(facts.Now.Add(max(facts.Overlap, 50*time.Hour)))).To(BeFalse(), "sooner or later")
			}
			g.Expect(record.ExposedTo).To(ContainElements(facts.Present))
			g.Expect(record.ExposedTo).To(ContainElements(facts.Seen))
			for _, old := range facts.Retiring {
				if old.ID == record.ID {
					g.Expect(record.ExposedTo).To(ContainElements(old.ExposedTo), "what was seen stays seen")
				}
			}
		})
	})

	It("is settled by one replacement", Label("S22"), func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			facts := anyFacts().Filter(func(f credentials.Facts) bool { return f.Mintable || f.SourceID != "" }).Draw(t, "facts")
			cause := decide(facts).Replace
			if cause == "" {
				t.Skip("nothing to replace")
			}
			facts.Interval = max(facts.Interval, time.Hour) // as the schema asks
			next := obtained(facts)
			if facts.Mintable && rapid.Bool().Draw(t, "expires") {
				next.ExpiresAt = new(metav1.NewTime(next.IssuedAt.Add(time.Second * time.Duration(rapid.IntRange(4, 4e5).Draw(t, "life")))))
			}
			facts.Seen = nil // nobody who left
			for i := range facts.Retiring {
				facts.Retiring[i].ExposedTo = nil
			}
			facts.Recorded, facts.Retiring = credentials.Succeed(facts, cause, next)
			facts.Secret, facts.Issued = credentials.SecretAsWritten, nil
			decision := decide(facts)
			g.Expect(decision.Replace).To(BeEmpty(), decision.Why)
		})
	})
})

// held is what lies in a Secret: a credential's ID, and its value. An ID can be
// minted again once it is revoked; a value cannot.
type held struct {
	id    string
	value int
	// by are those who could see it from the beginning.
	by []string
	// emptied tells that a freeze took it out again.
	emptied bool
}

// world is a platform, a cluster and a status, as far as a credential's life
// touches them, with a reconciler that does as the decisions say. It can stop
// between any two steps.
type world struct {
	now    time.Time
	values int
	// live are the values that work, by the credential's ID; seen says by whom
	// each value was seen.
	live map[string]int
	seen map[int][]string
	// secrets are what was delivered, by place.
	secrets map[v1alpha1.DeliveredSecret]held
	// source is the ID of the source credential.
	source   string
	mintable bool
	frozen   bool
	owner    string
	people   map[string][]string

	recorded *v1alpha1.DeliveredCredential
	retiring []v1alpha1.RetiringCredential
	rotateAt time.Time
	interval time.Duration
	// known are the credentials that were on record at some time. One that was
	// not can be found only with a source that can list what was minted.
	known map[string]bool
}

func newWorld(mintable bool) *world {
	w := &world{
		now: noon, live: map[string]int{}, seen: map[int][]string{}, secrets: map[v1alpha1.DeliveredSecret]held{},
		owner: "care", people: map[string][]string{"care": {"dana", "maria"}, "marketing": {"max", "mia"}},
		interval: 10 * time.Hour, known: map[string]bool{},
	}
	w.swap("the first", mintable)
	return w
}

// issue lets the platform issue a credential of that ID.
func (w *world) issue(id string) {
	w.values++
	w.live[id] = w.values
}

// swap gives the channel another source credential, or again one that it had
// before if that still works.
func (w *world) swap(id string, mintable bool) {
	if _, works := w.live[id]; !works {
		id = fmt.Sprint("source-new-", w.values) // its ID is made from its value
		w.issue(id)
	}
	w.source, w.mintable = id, mintable
}

func (w *world) present() []string {
	all := make([]string, 0, len(w.people[w.owner]))
	for _, name := range w.people[w.owner] {
		all = append(all, w.owner+"/"+name)
	}
	return all
}

func (w *world) facts() credentials.Facts {
	facts := credentials.Facts{
		Now: w.now, Frozen: w.frozen, Recorded: w.recorded.DeepCopy(), Retiring: slices.Clone(w.retiring),
		Want:     credentials.Holder{Team: w.owner, Namespace: w.owner, SecretName: "acme-help"},
		Mintable: w.mintable, Present: w.present(), RotateAt: w.rotateAt,
		Interval: w.interval, Overlap: 3 * time.Hour, RenewBefore: 14 * day,
	}
	if w.mintable {
		facts.Issued = slices.AppendSeq([]string{}, maps.Keys(w.live))
	} else {
		facts.SourceID = w.source
		// Nobody but a person replaces a source here.
		facts.SourceChanged = facts.Recorded != nil && facts.Recorded.ID != w.source
	}
	if w.recorded != nil {
		for _, found := range w.secrets { // also where a hand-over was given up
			if found.id == w.recorded.ID {
				credentials.Expose(w.recorded, found.by)
			}
		}
		facts.Recorded = w.recorded.DeepCopy()
		switch found, ok := w.secrets[w.recorded.Secret]; {
		case !ok:
			facts.Secret = credentials.SecretMissing
		case found.emptied:
			facts.Secret = credentials.SecretEmptied
		case found.id == w.recorded.ID && w.recorded.WithdrawnAt == nil:
		case found.id == credentials.NextID(prefix, w.recorded):
			facts.Secret = credentials.SecretAhead
		default:
			facts.Secret = credentials.SecretAltered
		}
	}
	return facts
}

// look lets everybody see what lies in their team's namespace.
func (w *world) look() {
	for place, found := range w.secrets {
		if found.emptied {
			continue
		}
		for _, name := range w.people[place.Namespace] {
			if person := place.Namespace + "/" + name; !slices.Contains(w.seen[found.value], person) {
				w.seen[found.value] = append(w.seen[found.value], person)
			}
		}
	}
}

// reconcile does what is decided, if that is possible in so many steps.
func (w *world) reconcile(steps int) {
	step := func() bool { steps--; return steps >= 0 }
	switch decision := decide(w.facts()); {
	case w.frozen:
		w.takeBack(decision, step)
	case decision.Replace == "":
		w.keep(decision, step)
	default:
		w.replace(decision, step)
	}
}

// takeBack does what a freeze asks for.
func (w *world) takeBack(decision credentials.Decision, step func() bool) {
	revoke := slices.Concat(ids(decision.Revoke), decision.Strays)
	if decision.Cut {
		revoke = append(revoke, w.recorded.ID)
	}
	for _, id := range revoke {
		if !step() {
			return
		}
		delete(w.live, id)
	}
	for place, found := range w.secrets {
		if found.emptied || w.recorded != nil && place == w.recorded.Secret && !decision.Empty {
			continue
		}
		if !step() {
			return
		}
		found.emptied = true
		w.secrets[place] = found
	}
	if !step() {
		return
	}
	w.retiring = slices.DeleteFunc(slices.Clone(w.retiring), func(r v1alpha1.RetiringCredential) bool {
		return slices.Contains(ids(decision.Revoke), r.ID)
	})
	if w.recorded == nil {
		return
	}
	w.recorded.WithdrawnAt = new(metav1.NewTime(w.now))
	if decision.Cut {
		w.recorded.RevokedAt = new(metav1.NewTime(w.now))
	}
}

// replace gives the owner another credential, or what an earlier attempt left
// at its destination.
func (w *world) replace(decision credentials.Decision, step func() bool) {
	facts := w.facts()
	id, place := w.source, v1alpha1.DeliveredSecret{Namespace: facts.Want.Namespace, Name: facts.Want.SecretName}
	if w.mintable {
		id = credentials.NextID(prefix, w.recorded)
	}
	found := w.secrets[place]
	value, works := w.live[id]
	same := found.id == id && works && found.value == value
	if same {
		facts.Seen = found.by
	}
	if !same || found.emptied {
		if w.mintable && !w.mint(id, decision.Strays, step) || !step() {
			return
		}
		if !w.known[found.id] {
			delete(w.seen, found.value) // overwritten before it was on record: nobody knows that it was ever there
		}
		w.secrets[place] = held{id: id, value: w.live[id], by: facts.Present}
		w.look()
	}
	if !step() {
		return
	}
	w.recorded, w.retiring = credentials.Succeed(facts, decision.Replace, v1alpha1.DeliveredCredential{
		ID: id, Team: facts.Want.Team, Secret: place, IssuedAt: metav1.NewTime(w.now),
	})
	w.known[id] = true
}

// mint first revokes the strays, of which one may have the same ID.
func (w *world) mint(id string, strays []string, step func() bool) bool {
	for _, stray := range strays {
		if !step() {
			return false
		}
		delete(w.live, stray)
	}
	if !step() {
		return false
	}
	w.issue(id)
	return true
}

// keep takes back what nobody should hold any more.
func (w *world) keep(decision credentials.Decision, step func() bool) {
	credentials.Expose(w.recorded, w.present())
	for place := range w.secrets {
		wanted := place == w.recorded.Secret || slices.ContainsFunc(w.retiring, func(r v1alpha1.RetiringCredential) bool {
			return r.Secret != nil && *r.Secret == place
		})
		if wanted {
			continue
		}
		if !step() {
			return
		}
		delete(w.secrets, place)
	}
	for _, stray := range decision.Strays {
		if !step() {
			return
		}
		delete(w.live, stray)
	}
	for _, retiring := range decision.Revoke {
		if retiring.Secret != nil && w.secrets[*retiring.Secret].id == retiring.ID {
			if !step() {
				return
			}
			delete(w.secrets, *retiring.Secret)
		}
		if !step() {
			return
		}
		delete(w.live, retiring.ID)
	}
	if !step() {
		return
	}
	w.retiring = slices.DeleteFunc(slices.Clone(w.retiring), func(r v1alpha1.RetiringCredential) bool {
		return slices.Contains(ids(decision.Revoke), r.ID)
	})
}

// settle reconciles until nothing is left to do now, and tells whether it came
// to that.
func (w *world) settle() bool {
	state := func() string { return fmt.Sprint(w.live, w.secrets, w.recorded, w.retiring) }
	for range 12 {
		before := state()
		w.reconcile(1000)
		if state() == before {
			return true
		}
	}
	return false
}

// welcome lets it be known who came: nobody leaves again before that.
func (w *world) welcome() {
	if w.recorded != nil {
		credentials.Expose(w.recorded, w.present())
	}
	for place, found := range w.secrets {
		if found.emptied {
			continue
		}
		found.by = append(slices.Clone(found.by), w.present()...)
		w.secrets[place] = found
	}
}

// happen lets one thing happen.
func (w *world) happen(t *rapid.T) {
	here := w.people[w.owner]
	switch what := rapid.SampledFrom([]string{
		"time passes", "a leaver", "a joiner", "a hand-over", "another source", "a request", "altered", "removed", "revoked there", "a freeze", "a freeze", "the lift",
	}).Draw(t, "happens"); what {
	case "time passes":
		w.now = w.now.Add(time.Duration(rapid.IntRange(1, 11*3600).Draw(t, "seconds")) * time.Second)
	case "a leaver":
		if len(here) > 1 {
			leaver := rapid.SampledFrom(here).Draw(t, "leaver")
			w.people[w.owner] = slices.DeleteFunc(slices.Clone(here), func(name string) bool { return name == leaver })
		}
	case "a joiner":
		here = append(slices.Clone(here), fmt.Sprint("p", rapid.IntRange(10, 99).Draw(t, "joiner")))
		slices.Sort(here)
		w.people[w.owner] = slices.Compact(here)
		w.welcome()
	case "a hand-over":
		w.owner = rapid.SampledFrom([]string{"care", "marketing"}).Draw(t, "owner")
	case "another source":
		sources := slices.DeleteFunc(slices.Sorted(maps.Keys(w.live)), func(id string) bool { return strings.HasPrefix(id, prefix) })
		w.swap(rapid.SampledFrom(append(sources, "another")).Draw(t, "source"), rapid.Bool().Draw(t, "mintable"))
	case "a freeze", "the lift":
		w.frozen = what == "a freeze"
	case "a request":
		w.rotateAt = w.now
	case "altered", "removed":
		if w.recorded != nil && w.secrets[w.recorded.Secret].id == w.recorded.ID {
			delete(w.secrets, w.recorded.Secret)
			if what == "altered" {
				w.secrets[w.recorded.Secret] = held{id: "nonsense"}
			}
		}
	case "revoked there":
		if w.recorded != nil && w.recorded.ID != w.source {
			delete(w.live, w.recorded.ID)
		}
	}
	w.look()
}

var _ = Describe("A credential's life", func() {
	It("always leads to one working credential, and to none with anybody else", Label("S4", "S6", "S22"), func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			w := newWorld(rapid.Bool().Draw(t, "mintable"))
			for range rapid.IntRange(1, 12).Draw(t, "events") {
				before, worked := w.recorded.DeepCopy(), false
				if before != nil {
					_, worked = w.live[before.ID]
				}
				w.reconcile(rapid.IntRange(0, 6).Draw(t, "steps")) // it may die before it is through
				if worked && w.recorded.ID == before.ID && !w.frozen {
					g.Expect(w.live).To(HaveKey(before.ID), "never revoked while the owner uses it")
				}
				w.happen(t)
			}

			if w.frozen {
				g.Expect(w.settle()).To(BeTrue(), "it comes to rest")
				w.checkFrozen(g)
				w.frozen = false
			}
			g.Expect(w.settle()).To(BeTrue(), "it comes to rest")
			w.check(g)
			w.now, w.interval = w.now.Add(3*time.Hour+time.Second), 0 // every overlap is over, and no other begins
			g.Expect(w.settle()).To(BeTrue())
			w.check(g)
			g.Expect(w.retiring).To(BeEmpty())
			g.Expect(w.secrets).To(HaveLen(1), "no Secret is left behind")
			for id := range w.live {
				if w.mintable && strings.HasPrefix(id, prefix) {
					g.Expect(id).To(Equal(w.recorded.ID), "no stray is left")
				}
			}
		})
	})
})

// checkFrozen is what must hold when a freeze has done its work: nobody can read
// a credential, and none that Rostra can find and minted works.
func (w *world) checkFrozen(g Gomega) {
	for place, found := range w.secrets {
		g.Expect(found.emptied).To(BeTrue(), "%v", place)
	}
	for id := range w.live {
		if strings.HasPrefix(id, prefix) {
			g.Expect(w.known[id] || w.mintable).To(BeFalse(), "%s works", id)
		}
	}
}

// check is what must hold whenever there is nothing left to do.
func (w *world) check(g Gomega) {
	g.Expect(w.recorded).NotTo(BeNil())
	g.Expect(w.recorded.Team).To(Equal(w.owner))
	g.Expect(w.live).To(HaveKey(w.recorded.ID), "the owner's credential works")
	g.Expect(w.secrets[w.recorded.Secret].value).To(Equal(w.live[w.recorded.ID]), "and lies where the owner looks")
	g.Expect(w.secrets[w.recorded.Secret].emptied).To(BeFalse())
	g.Expect(w.recorded.ExposedTo).To(ContainElements(w.present()))
	inOrder := decide(w.facts()).Verdict.OK
	for id, value := range w.live {
		known := w.known[id] || w.mintable && strings.HasPrefix(id, prefix)
		for _, person := range w.seen[value] {
			switch {
			case slices.Contains(w.present(), person) || !known:
			case id == w.source && !w.mintable:
				g.Expect(inOrder).To(BeFalse(), "%s is out and has seen %s, which a person must replace, and it is called in order", person, id)
			default:
				g.Expect(person).To(BeEmpty(), "%s is out and has seen %s, which works", person, id)
			}
		}
	}
}

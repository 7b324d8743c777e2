// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package status_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/status"
)

func TestStatus(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "status")
}

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// order is that of the conditions in the summary.
var order = []string{v1alpha1.ConditionOwnerResolved, v1alpha1.ConditionClaimed, v1alpha1.ConditionCredentialReady}

func newWriter(conditions ...metav1.Condition) status.Writer {
	return status.Writer{Conditions: &conditions, Generation: 7, Now: noon}
}

// bare is a condition without what Ready does not tell.
type bare struct {
	state           metav1.ConditionStatus
	reason, message string
}

func find(w status.Writer, kind string) *bare {
	if found := meta.FindStatusCondition(*w.Conditions, kind); found != nil {
		return &bare{found.Status, found.Reason, found.Message}
	}
	return nil
}

var _ = Describe("A condition", func() {
	It("bears the generation, and the time at which its status changed", func() {
		w := newWriter()
		w.True("Claimed", "Held", "held by this channel")
		Expect(*w.Conditions).To(ConsistOf(metav1.Condition{
			Type: "Claimed", Status: metav1.ConditionTrue, Reason: "Held", Message: "held by this channel",
			ObservedGeneration: 7, LastTransitionTime: metav1.NewTime(noon),
		}))
		w.Generation, w.Now = 8, noon.Add(time.Hour)
		w.True("Claimed", "Held", "still held")
		Expect(w.Get("Claimed")).To(HaveField("LastTransitionTime", metav1.NewTime(noon)))
		Expect(w.Get("Claimed")).To(And(HaveField("ObservedGeneration", BeEquivalentTo(8)), HaveField("Message", "still held")))
		w.False("Claimed", "HeldByOther", "held by social/acme")
		Expect(w.Get("Claimed")).To(And(HaveField("LastTransitionTime", metav1.NewTime(noon.Add(time.Hour))), HaveField("Status", metav1.ConditionFalse)))
		w.Now = noon.Add(2 * time.Hour)
		w.Unknown("Claimed", "Waiting", "waits")
		Expect(w.Get("Claimed")).To(And(HaveField("LastTransitionTime", metav1.NewTime(noon.Add(2*time.Hour))), HaveField("Status", metav1.ConditionUnknown)))
		Expect(*w.Conditions).To(HaveLen(1))
	})

	It("is unknown where nobody has set it", func() {
		Expect(newWriter().Get("Claimed")).To(Equal(metav1.Condition{Type: "Claimed", Status: metav1.ConditionUnknown}))
	})

	It("can be kept, for the generation at hand", func() {
		w := newWriter(metav1.Condition{Type: "Claimed", Status: metav1.ConditionFalse, Reason: "HeldByOther", ObservedGeneration: 3, LastTransitionTime: metav1.NewTime(noon)})
		w.Now = noon.Add(time.Hour)
		w.Keep("Claimed")
		w.Keep("NotThere")
		Expect(*w.Conditions).To(ConsistOf(metav1.Condition{
			Type: "Claimed", Status: metav1.ConditionFalse, Reason: "HeldByOther", ObservedGeneration: 7, LastTransitionTime: metav1.NewTime(noon),
		}))
	})

	DescribeTable("has a message of bounded length that is still text",
		func(message string, wanted int) {
			w := newWriter()
			w.True("Claimed", "Held", message)
			got := w.Get("Claimed").Message
			Expect(got).To(HaveLen(wanted))
			Expect(utf8.ValidString(got)).To(BeTrue())
			if len(message) <= 2048 {
				Expect(got).To(Equal(message))
			} else {
				Expect(got).To(HaveSuffix("…"))
				Expect(message).To(HavePrefix(strings.TrimSuffix(got, "…")))
			}
		},
		Entry("nothing", "", 0),
		Entry("just short enough", strings.Repeat("x", 2048), 2048),
		Entry("a byte too long", strings.Repeat("x", 2049), 2048),
		Entry("cut in the middle of a letter", "x"+strings.Repeat("é", 2000), 2048),
		Entry("cut between letters", strings.Repeat("é", 2000), 2047),
		Entry("cut in the middle of a long letter", strings.Repeat("😀", 2000), 2047),
		Entry("very long", strings.Repeat("x", 1<<20), 2048),
	)
})

var _ = Describe("The summary", func() {
	const (
		good    = metav1.ConditionTrue
		bad     = metav1.ConditionFalse
		unknown = metav1.ConditionUnknown
	)
	condition := func(kind string, state metav1.ConditionStatus, reason string) metav1.Condition {
		return metav1.Condition{Type: kind, Status: state, Reason: reason, Message: "about " + kind}
	}
	owner := func(state metav1.ConditionStatus, reason string) metav1.Condition {
		return condition(order[0], state, reason)
	}
	claim := func(state metav1.ConditionStatus, reason string) metav1.Condition {
		return condition(order[1], state, reason)
	}
	credential := func(state metav1.ConditionStatus, reason string) metav1.Condition {
		return condition(order[2], state, reason)
	}

	DescribeTable("names the first that fails",
		func(ready bare, stalled, reconciling bool, conditions ...metav1.Condition) {
			w := newWriter(conditions...)
			w.Summarise(order...)
			Expect(find(w, v1alpha1.ConditionReady)).To(HaveValue(Equal(ready)))
			follows := bare{good, ready.reason, ready.message}
			if stalled {
				Expect(find(w, v1alpha1.ConditionStalled)).To(HaveValue(Equal(follows)))
			} else {
				Expect(find(w, v1alpha1.ConditionStalled)).To(BeNil())
			}
			if reconciling {
				Expect(find(w, v1alpha1.ConditionReconciling)).To(HaveValue(Equal(follows)))
			} else {
				Expect(find(w, v1alpha1.ConditionReconciling)).To(BeNil())
			}
		},
		Entry("none", bare{good, "InOrder", "everything declared is in order"}, false, false,
			owner(good, "Accepted"), claim(good, "Held"), credential(good, "Delivered")),
		Entry("one that a person must mend", bare{bad, "NotAccepted", "about OwnerResolved"}, true, false,
			owner(bad, "NotAccepted"), claim(good, "Held"), credential(good, "Delivered")),
		Entry("one that may pass", bare{bad, "HandoverPending", "about OwnerResolved"}, false, true,
			owner(bad, "HandoverPending"), claim(good, "Held"), credential(good, "Delivered")),
		Entry("two", bare{bad, "NotAccepted", "about OwnerResolved"}, true, false,
			credential(bad, "Revoked"), owner(bad, "NotAccepted"), claim(good, "Held")),
		Entry("a doubt", bare{unknown, "PlatformUnavailable", "about Claimed"}, false, true,
			owner(good, "Accepted"), claim(unknown, "PlatformUnavailable"), credential(good, "Delivered")),
		Entry("a failure after a doubt, since it is known", bare{bad, "Revoked", "about CredentialReady"}, true, false,
			owner(good, "Accepted"), claim(unknown, "PlatformUnavailable"), credential(bad, "Revoked")),
		Entry("the first of two doubts", bare{unknown, "PlatformUnavailable", "about Claimed"}, false, true,
			credential(unknown, "Waiting"), claim(unknown, "PlatformUnavailable"), owner(good, "Accepted")),
		Entry("a doubt for a reason that would stall a failure", bare{unknown, "Revoked", "about CredentialReady"}, false, true,
			owner(good, "Accepted"), claim(good, "Held"), credential(unknown, "Revoked")),
		Entry("one that was not looked at", bare{unknown, "Progressing", "Claimed was not looked at yet"}, false, true,
			owner(good, "Accepted"), credential(good, "Delivered")),
		Entry("nothing at all was looked at", bare{unknown, "Progressing", "OwnerResolved was not looked at yet"}, false, true),
		Entry("one outside the order does not count", bare{good, "InOrder", "everything declared is in order"}, false, false,
			owner(good, "Accepted"), claim(good, "Held"), credential(good, "Delivered"), condition("Elsewhere", bad, "Broken")),
	)

	It("takes back what does not hold any more", func() {
		w := newWriter(owner(bad, "NotAccepted"), claim(good, "Held"), credential(good, "Delivered"))
		w.Summarise(order...)
		Expect(find(w, v1alpha1.ConditionStalled)).NotTo(BeNil())
		w.False(order[0], "HandoverPending", "wait")
		w.Summarise(order...)
		Expect(find(w, v1alpha1.ConditionStalled)).To(BeNil())
		Expect(find(w, v1alpha1.ConditionReconciling)).NotTo(BeNil())
		w.False(order[0], "NotAccepted", "no")
		w.Summarise(order...)
		Expect(find(w, v1alpha1.ConditionReconciling)).To(BeNil())
		w.True(order[0], "Accepted", "yes")
		w.Summarise(order...)
		Expect(find(w, v1alpha1.ConditionStalled)).To(BeNil())
		Expect(find(w, v1alpha1.ConditionReconciling)).To(BeNil())
	})

	It("can be paused", func() {
		w := newWriter(owner(bad, "NotAccepted"))
		w.Summarise(order...)
		w.Pause("spec.suspend is true")
		Expect(find(w, v1alpha1.ConditionReady)).To(HaveValue(Equal(bare{unknown, "Suspended", "spec.suspend is true"})))
		Expect(find(w, v1alpha1.ConditionStalled)).To(BeNil())
		Expect(find(w, v1alpha1.ConditionReconciling)).To(BeNil())
		Expect(find(w, order[0])).NotTo(BeNil(), "what was found stays to be read")
	})

	It("changes nothing when it is made twice", func() {
		w := newWriter(owner(bad, "HandoverPending"))
		w.Summarise(order...)
		before := slices.Clone(*w.Conditions)
		w.Now = noon.Add(time.Hour)
		w.Summarise(order...)
		Expect(*w.Conditions).To(Equal(before))
	})

	// What kstatus, and with it kubectl wait, Helm, Flux and Argo CD read.
	It("is never ready, stalled and reconciling at once, and always one of them", func() {
		states := rapid.SampledFrom([]metav1.ConditionStatus{good, bad, unknown})
		reasons := rapid.SampledFrom([]string{"Revoked", "HandoverPending", "PlatformUnavailable", "NotAccepted"})
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			w := newWriter()
			w.Unknown(v1alpha1.ConditionReady, "Progressing", "from before")
			if rapid.Bool().Draw(t, "stalled before") {
				w.True(v1alpha1.ConditionStalled, "Revoked", "from before")
			}
			if rapid.Bool().Draw(t, "reconciling before") {
				w.True(v1alpha1.ConditionReconciling, "Retrying", "from before")
			}
			allTrue := true
			for _, kind := range order {
				if rapid.Bool().Draw(t, "looked at") {
					state := states.Draw(t, "state")
					w.Set(kind, state, reasons.Draw(t, "reason"), "now")
					allTrue = allTrue && state == good
				} else {
					allTrue = false
				}
			}
			w.Summarise(order...)
			ready, stalled, reconciling := find(w, v1alpha1.ConditionReady), find(w, v1alpha1.ConditionStalled), find(w, v1alpha1.ConditionReconciling)
			g.Expect(ready).NotTo(BeNil())
			if allTrue {
				g.Expect(ready.state).To(Equal(good))
			} else {
				g.Expect(ready.state).NotTo(Equal(good))
			}
			held := 0
			for _, is := range []bool{ready.state == good, stalled != nil, reconciling != nil} {
				if is {
					held++
				}
			}
			g.Expect(held).To(Equal(1))
			for _, condition := range *w.Conditions {
				g.Expect(condition.Reason).NotTo(BeEmpty(), "the API server asks for a reason")
				g.Expect(condition.ObservedGeneration).To(BeEquivalentTo(7))
			}
		})
	})
})

// Every reason of the API is in one of these lists, so that whoever adds one
// says here whether it waits for a person.
var (
	needPerson = []string{
		v1alpha1.ReasonOwnerNotFound, v1alpha1.ReasonNotAccepted, v1alpha1.ReasonNoManager, v1alpha1.ReasonHeldByOther,
		v1alpha1.ReasonHandleDrift, v1alpha1.ReasonWrongAccount, v1alpha1.ReasonInvalidHandle, v1alpha1.ReasonInvalidAccountID,
		v1alpha1.ReasonPlatformNotFound, v1alpha1.ReasonNamespaceNotAllowed, v1alpha1.ReasonPlatformRefused,
		v1alpha1.ReasonInvalidServer, v1alpha1.ReasonInvalidSelector, v1alpha1.ReasonUnsupportedType, v1alpha1.ReasonTooManyAccounts, v1alpha1.ReasonCannotList,
		v1alpha1.ReasonSourceSecretMissing, v1alpha1.ReasonSourceSecretInvalid, v1alpha1.ReasonSourceSecretForbidden,
		v1alpha1.ReasonSecretNameTaken,
		v1alpha1.ReasonNamespaceNotFound, v1alpha1.ReasonRevoked, v1alpha1.ReasonSeenByLeaver, v1alpha1.ReasonDueForRenewal,
		v1alpha1.ReasonExpired, v1alpha1.ReasonInsufficientScope, v1alpha1.ReasonNotRevoked, v1alpha1.ReasonInvalidRotateAt,
		v1alpha1.ReasonHandoverGivenUp, v1alpha1.ReasonRemovalHalted, v1alpha1.ReasonDeliveryFailed,
		v1alpha1.ReasonCoverageGap, v1alpha1.ReasonNoRota, v1alpha1.ReasonRotaNotFound, v1alpha1.ReasonInvalidPromise,
		v1alpha1.ReasonApplicationSecretMissing, v1alpha1.ReasonApplicationSecretInvalid,
		v1alpha1.ReasonEventsUnsupported, v1alpha1.ReasonGatewayNotConfigured, v1alpha1.ReasonSubscriptionDrifted,
		v1alpha1.ReasonFrozen, v1alpha1.ReasonNotCutOff, v1alpha1.ReasonNotEnforced, v1alpha1.ReasonIncomplete, v1alpha1.ReasonSelectsNothing,
		v1alpha1.ReasonRouteNotFound, v1alpha1.ReasonRouteInvalid, v1alpha1.ReasonRuleInvalid, v1alpha1.ReasonRuleNeverApplies,
		v1alpha1.ReasonNobodyReachable,
		v1alpha1.ReasonUnknownTimeZone, v1alpha1.ReasonInvalidStart, v1alpha1.ReasonWindowsOverlap,
		v1alpha1.ReasonTeamNotFound, v1alpha1.ReasonMemberNotFound, v1alpha1.ReasonMemberUnreachable,
		v1alpha1.ReasonManagerNotMember, v1alpha1.ReasonChainCycle, v1alpha1.ReasonChainBroken, v1alpha1.ReasonChainTooLong,
	}
	passByThemselves = []string{
		v1alpha1.ReasonProgressing, v1alpha1.ReasonDeleting, v1alpha1.ReasonWaiting,
		v1alpha1.ReasonFreezing, v1alpha1.ReasonOwnerDeleting, v1alpha1.ReasonTargetDeleting, v1alpha1.ReasonHandoverPending, v1alpha1.ReasonHandoverScheduled,
		v1alpha1.ReasonPlatformUnavailable, v1alpha1.ReasonRateLimited, v1alpha1.ReasonNoCredential,
		v1alpha1.ReasonCallbackUnreachable, v1alpha1.ReasonInboxUnavailable,
		v1alpha1.ReasonStepEmpty,
	}
	noFailures = []string{
		v1alpha1.ReasonInOrder, v1alpha1.ReasonSuspended, v1alpha1.ReasonOwnerAccepted, v1alpha1.ReasonClaimHeld,
		v1alpha1.ReasonVerified, v1alpha1.ReasonDelivered, v1alpha1.ReasonObserveOnly, v1alpha1.ReasonManagerFound,
		v1alpha1.ReasonNotFrozen, v1alpha1.ReasonPrepared,
		v1alpha1.ReasonChainComplete, v1alpha1.ReasonAnswered, v1alpha1.ReasonAccountsListed,
		v1alpha1.ReasonCovered, v1alpha1.ReasonNothingPromised,
		v1alpha1.ReasonRouted, v1alpha1.ReasonNoRoute, v1alpha1.ReasonRulesCompiled, v1alpha1.ReasonTargetsFound,
		v1alpha1.ReasonStepsReachable, v1alpha1.ReasonOnePerson,
		v1alpha1.ReasonSubscribed, v1alpha1.ReasonPolled, v1alpha1.ReasonNothingSubscribed,
		v1alpha1.ReasonScheduleRead, v1alpha1.ReasonMembersFound, v1alpha1.ReasonMembersReachable,
		v1alpha1.ReasonInForce, v1alpha1.ReasonPending, v1alpha1.ReasonOutranked,
	}
)

var _ = Describe("Reasons", func() {
	It("that wait for a person", func() {
		for _, reason := range needPerson {
			Expect(status.NeedsPerson(reason)).To(BeTrue(), reason)
		}
	})

	It("that do not", func() {
		for _, reason := range slices.Concat(passByThemselves, noFailures, []string{"", "Unheard"}) {
			Expect(status.NeedsPerson(reason)).To(BeFalse(), reason)
		}
	})

	It("are all one or the other", func() {
		Expect(slices.Concat(needPerson, passByThemselves, noFailures)).To(ConsistOf(declaredReasons()))
	})

	It("are words that the API server takes", func() {
		for _, reason := range declaredReasons() {
			Expect(reason).To(MatchRegexp(`^[A-Z][A-Za-z]+$`))
		}
	})
})

// declaredReasons are the values of the constants in the API whose names begin
// with Reason.
func declaredReasons() []string {
	GinkgoHelper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../api/v1alpha1/conditions.go", nil, parser.SkipObjectResolution)
	Expect(err).NotTo(HaveOccurred())
	var reasons []string
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Reason") {
			return true
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		Expect(ok).To(BeTrue(), spec.Names[0].Name)
		reason, err := strconv.Unquote(literal.Value)
		Expect(err).NotTo(HaveOccurred())
		reasons = append(reasons, reason)
		return true
	})
	Expect(len(reasons)).To(BeNumerically(">", 40))
	return reasons
}

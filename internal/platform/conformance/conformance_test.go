// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance"
	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
)

func TestConformance(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "conformance rules")
}

// The toy adapter without a flaw meets every rule.
var _ = conformance.Describe("the toy adapter", func(SpecContext) conformance.Subject { return toySubject(none) })

// So does one whose application has one callback for all accounts.
var _ = conformance.Describe("the toy adapter of an application", func(SpecContext) conformance.Subject {
	return toySubjectOf(none, platform.HookPerPlatform)
})

var _ = Describe("a rule", func() {
	DescribeTable("fails for an adapter that", func(ctx SpecContext, wrong flaw, name string) {
		Expect(failuresOf(ctx, ruleNamed(name), toySubject(wrong))).NotTo(BeEmpty())
	},
		flawed(missesInOutage, "takes no outage for a missing subscription"),
		flawed(missesInOutage, "takes no nonsense for a missing subscription"),
		flawed(blamesCredential, "takes no outage for a missing subscription"),
		flawed(forgetsRetry, "says when it may ask for a subscription again"),
		flawed(tellsAnswer, "shows neither callback nor hook keys when it fails to subscribe"),
		flawed(sharesKeys, "gives fresh hook keys each time, or the application's own"),
		flawed(forgetsKinds, "subscribes, and reads back what it subscribed"),
		flawed(hooksBeside, "subscribes twice and has one subscription"),
		flawed(hooksBeside, "subscribes once more when the answer was lost"),
		flawed(missesAbsent, "ends a subscription, and ends none"),
		flawed(endsOthers, "keeps the subscriptions of two accounts apart"),
		flawed(endsAny, "leaves a subscription to another callback as it is"),
		flawed(trustsAnyone, "reads nothing that was altered on the way"),
		flawed(trustsAnyone, "reads nothing whose signature is missing, doubled or garbage"),
		flawed(trustsAnyone, "reads nothing that was signed with another's keys"),
		flawed(takesFirst, "reads nothing whose signature is missing, doubled or garbage"),
		flawed(repeatsHeader, "reads nothing whose signature is missing, doubled or garbage"),
		flawed(newestKey, "reads what it is sent, with the newest keys or older ones"),
		flawed(newIDs, "gives an event the same ID each time that it is delivered"),
		flawed(anyMethod, "reads nothing that is sent in another form"),
		flawed(blamesItself, "reads nothing that was altered on the way"),
		flawed(blamesItself, "refuses a deeply nested body at once"),
		flawed(plainErrors, "refuses a deeply nested body at once"),
		flawed(refusesThanks, "says success to the platform"),
		flawed(raisesPast, "begins to poll now"),
		flawed(keepsCursor, "finds what happens once, also after a restart"),
		flawed(newIDs, "finds the same again from the same cursor"),
		flawed(newestFirst, "finds what happened oldest first"),
		flawed(findsAllKinds, "finds only what was asked for"),
		flawed(hidesRefusal, "says that a wrong credential may not poll"),
		flawed(quietInOutage, "takes no outage for quiet"),
		flawed(quietOnBlank, "takes no nonsense for quiet"),
		flawed(forgetsRetry, "says when it may poll again"),
		flawed(raisesPast, "survives a damaged cursor"),
		flawed(sendsSecret, "sends a person to a consent page, and tells it no secret"),
		flawed(forgetsState, "sends a person to a consent page, and tells it no secret"),
		flawed(noChallenge, "sends a person to a consent page, and tells it no secret"),
		flawed(noChallenge, "redeems no code that another asked for"),
		flawed(asksAnyway, "names a missing key of its application"),
		flawed(wrongKey, "gets a working source credential from a person's consent"),
		flawed(triesAgain, "redeems a code once"),
		flawed(blamesCredential, "takes an outage for one when it redeems a code"),
		flawed(blamesCredential, "takes no nonsense for a source credential"),
		flawed(tellsAnswer, "shows neither code nor secret when it fails to redeem"),
		flawed(blamesCredential, "takes for an outage: 503"),
		flawed(blamesCredential, "blames no credential for: 200 with an HTML page"),
		flawed(blamesCredential, "revokes nothing in an outage"),
		flawed(blamesCredential, "takes an outage for one when it issues credentials"),
		flawed(believesHTML, "blames no credential for: 401 with an HTML page"),
		flawed(hidesRefusal, "says that a wrong credential is refused"),
		flawed(hidesRefusal, "says so when the server takes the source credential back"),
		flawed(hidesRefusal, "classes the answer 401"),
		flawed(tellsSecret, "says that a wrong credential is refused"),
		flawed(tellsAnswer, "repeats nothing that the server says of the request"),
		flawed(showsSecret, "delivers the source credential as environment variables, and prints it redacted"),
		flawed(neverTheSame, "says the same of the same trouble"),
		flawed(forgetsRetry, "says when a rate limit ends: X-RateLimit-Reset in ISO 8601"),
		flawed(forgetsRetry, "says when an outage ends, where the server does"),
		flawed(plainErrors, "says that a wrong credential is refused"),
		flawed(deafToCancel, "returns promptly when it is cancelled"),
		flawed(asksAnyway, "names a missing source key without asking the server"),
		flawed(wrongIdentity, "says whose account it is"),
		flawed(upperHandles, "gives one form of a handle"),
		flawed(anyAccountID, "takes the account ID that the server gave, and refuses what cannot be one"),
		flawed(mintsOver, "does not mint a credential under a name that is taken"),
		flawed(revokesNothing, "mints a credential that is listed, works, and dies when it is revoked"),
		flawed(revokesNothing, "finds and revokes a credential whose minting lost its answer"),
		flawed(revokesNothing, "revokes a credential at hand, and again"),
		flawed(missesAbsent, "revokes what is not there"),
		flawed(newSessions, "keeps one session for many calls, also after a restart"),
		flawed(keepsNothing, "keeps one session for many calls, also after a restart"),
		flawed(keepsNothing, "recovers when the process ends before its session is stored"),
		flawed(trustsSession, "opens a new session where the kept one is worth nothing"),
		flawed(neverEnds, "ends its session, and ends none"),
		flawed(asksTooMuch, "verifies within its budget of requests"),
		flawed(overPromises, "detects the server, and promises only what it has ports for"),
		flawed(listsAnything, "takes no outage for a list"),
		flawed(listsAnything, "takes no nonsense for a list"),
		flawed(listsForever, "lists the accounts of the server, in the form in which they are claimed"),
		flawed(listsOthers, "lists the accounts of the server, in the form in which they are claimed"),
		flawed(hidesNames, "names the accounts that it lists by ID"),
		flawed(blamesCredential, "names the accounts that it lists by ID"),
		flawed(blamesCredential, "takes no outage for a list"),
		flawed(blamesNobody, "asks a person where the list is not public, and blames no credential"),
		flawed(forgetsRetry, "says when it may list again"),
		flawed(neverTheSame, "says the same of the same trouble with a list"),
		flawed(plainErrors, "takes no outage for a list"),
		flawed(deafToCancel, "stops listing promptly when it is cancelled"),
	)

	It("fails for an application's adapter that does not say on which account it happened", func(ctx SpecContext) {
		subject := toySubjectOf(namesNoAccount, platform.HookPerPlatform)
		Expect(failuresOf(ctx, ruleNamed("reads what it is sent, with the newest keys or older ones"), subject)).NotTo(BeEmpty())
	})

	It("about events or consent is tried where the subject says how they come about", func() {
		needy := 0
		for _, rule := range conformance.Rules() {
			Expect(rule.CanTry(conformance.Server{Events: &conformance.Events{}, Consent: &conformance.Consent{}})).To(BeTrue())
			if !rule.CanTry(conformance.Server{}) {
				needy++
			}
		}
		Expect(needy).To(BeNumerically(">", 0))
	})

	It("has a name that no other has", func() {
		seen := map[string]bool{}
		for _, rule := range conformance.Rules() {
			Expect(seen).NotTo(HaveKey(rule.Name))
			seen[rule.Name] = true
		}
	})
})

func flawed(wrong flaw, rule string) TableEntry {
	return Entry(fmt.Sprintf("%s: %s", wrong, rule), wrong, rule)
}

func ruleNamed(name string) conformance.Rule {
	GinkgoHelper()
	for _, rule := range conformance.Rules() {
		if rule.Name == name {
			return rule
		}
	}
	Fail("no rule has the name " + name)
	return conformance.Rule{}
}

// stop ends a rule at its first failure, as Ginkgo's Fail does.
type stop struct{}

// failuresOf tries a rule and gives what it found wrong.
func failuresOf(ctx context.Context, rule conformance.Rule, subject conformance.Subject) (failures []string) {
	defer func() {
		if cause := recover(); cause != nil && cause != (stop{}) {
			panic(cause)
		}
	}()
	rule.Check(ctx, NewGomega(func(message string, _ ...int) {
		failures = append(failures, message)
		panic(stop{})
	}), subject)
	return failures
}

func toySubject(wrong flaw) conformance.Subject {
	GinkgoHelper()
	return toySubjectOf(wrong, platform.HookPerChannel)
}

func toySubjectOf(wrong flaw, scope platform.HookScope) conformance.Subject {
	GinkgoHelper()
	server, injector := newToyServer(), &faults.Injector{}
	listening := httptest.NewServer(injector.Wrap(server))
	DeferCleanup(listening.Close)
	url, err := httpx.ParseServerURL(listening.URL)
	Expect(err).NotTo(HaveOccurred())
	good := server.addUser("good")
	return conformance.Subject{
		New:   func() platform.Platform { return newToyAdapter(url, wrong, scope) },
		Clock: clock.RealClock{},
		Server: conformance.Server{
			Faults: injector,
			Paths: map[conformance.Call]string{
				conformance.CallOpenSession: "/login", conformance.CallMint: "/mint", conformance.CallRevoke: "/revoke",
			},
			WithdrawSource: func(context.Context) error { server.withdraw(good); return nil },
			Works: func(_ context.Context, credential credentials.Credential) (bool, error) {
				return server.works(credential.Values.Get("TOY_PASSWORD")), nil
			},
			Events:  server.asEvents("good"),
			Consent: server.asConsent("good"),
		},
		Good:  toyAccount("good", good),
		Other: toyAccount("other", server.addUser("other")),
		Wrong: toyAccount("good", "no-such-53cr37"),
	}
}

func newToyAdapter(server httpx.ServerURL, wrong flaw, scope platform.HookScope) platform.Platform {
	GinkgoHelper()
	client, err := httpx.New(httpx.Options{
		UserAgent:      "rostra-test",
		Timeout:        500 * time.Millisecond,
		AllowedPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		AccountRate:    1000,
		AccountBurst:   1000,
		BreakerAfter:   1000,
	})
	Expect(err).NotTo(HaveOccurred())
	if wrong == deafToCancel {
		client, err = httpx.New(httpx.Options{UserAgent: "rostra-test", Timeout: 4 * time.Second, AllowedPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
		Expect(err).NotTo(HaveOccurred())
	}
	DeferCleanup(client.CloseIdleConnections)
	return &toyAdapter{http: client, server: server, flaw: wrong, scope: scope, count: &atomic.Int32{}}
}

func toyAccount(name, secret string) conformance.Account {
	return conformance.Account{
		Declared: platform.Account{
			Handle: strings.ToLower(name), ID: "id-" + name,
			Source: credentials.Values{"password": credentials.NewValue(secret)},
			Application: credentials.Values{
				platform.ApplicationID:     credentials.NewValue(toyClient),
				platform.ApplicationSecret: credentials.NewValue(toySecret),
			},
		},
		Identity: platform.Identity{AccountID: "id-" + name, Handle: name, CanMint: true},
		Secrets:  []string{secret},
	}
}

var _ = Describe("the search for secrets", func() {
	const secret = "hunter22+/="

	DescribeTable("finds one", func(thing any) {
		Expect(conformance.Leaks(thing, secret)).NotTo(BeEmpty())
	},
		Entry("in a string", "token "+secret),
		Entry("in an error", fmt.Errorf("bad token %s", secret)),
		Entry("in the cause of an error", &platform.Failure{Message: "no", Cause: fmt.Errorf("bad token %s", secret)}),
		Entry("in one of joined errors", &platform.Failure{Message: "no", Cause: fmt.Errorf("%w %w", context.Canceled, fmt.Errorf("bad %s", secret))}),
		Entry("in a field", struct{ Token string }{secret}),
		Entry("URL-encoded", "token=hunter22%2B%2F%3D"),
		Entry("in base64", "Basic aHVudGVyMjIrLz0="),
	)

	DescribeTable("finds none", func(thing any) {
		Expect(conformance.Leaks(thing, secret, "")).To(BeEmpty())
	},
		Entry("in a redacted value", credentials.Values{"token": credentials.NewValue(secret)}),
		Entry("in a credential", credentials.Credential{ID: "a", Values: credentials.Values{"TOKEN": credentials.NewValue(secret)}}),
		Entry("in nothing", nil),
	)
})

var _ = Describe("the store of sessions", func() {
	session := credentials.Values{"token": credentials.NewValue("t")}

	It("gives what was saved, also to another writer", func(ctx SpecContext) {
		sessions := &conformance.Sessions{}
		Expect(sessions.Open().Load(ctx)).To(BeNil())
		Expect(sessions.Open().Save(ctx, session)).To(Succeed())
		Expect(sessions.Open().Load(ctx)).To(Equal(session))
	})

	It("removes with nil", func(ctx SpecContext) {
		sessions := &conformance.Sessions{}
		writer := sessions.Open()
		Expect(writer.Save(ctx, session)).To(Succeed())
		Expect(writer.Save(ctx, nil)).To(Succeed())
		Expect(sessions.Open().Load(ctx)).To(BeNil())
	})

	It("lets the second of two writers know of the first", func(ctx SpecContext) {
		sessions := &conformance.Sessions{}
		first, second := sessions.Open(), sessions.Open()
		_, err := second.Load(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(first.Save(ctx, session)).To(Succeed())
		Expect(second.Save(ctx, session)).To(MatchError(platform.ErrSessionConflict))
		_, err = second.Load(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(second.Save(ctx, session)).To(Succeed())
	})

	It("crashes before or after it has stored", func(ctx SpecContext) {
		sessions := &conformance.Sessions{}
		sessions.NextSave(conformance.CrashBefore, conformance.CrashAfter)
		Expect(func() { _ = sessions.Open().Save(ctx, session) }).To(PanicWith(conformance.Crash{}))
		Expect(sessions.Stored()).To(BeNil())
		Expect(func() { _ = sessions.Open().Save(ctx, session) }).To(PanicWith(conformance.Crash{}))
		Expect(sessions.Stored()).To(Equal(session))
	})
})

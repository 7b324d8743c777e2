// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apitypes "k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

const (
	invisible = "must not hold spaces, control or invisible characters"
	lowerCase = "must be in lower case"
	oneAt     = "may begin with one @, followed by the name"
	did       = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
	rotation  = "spec.credentials.rotation."
)

var _ = Describe("A SocialChannel", func() {
	DescribeTable("accepts",
		func(ctx SpecContext, edits ...edit) {
			Expect(tryCreate(ctx, manifest(goodChannel, edits...))).To(Succeed())
		},
		Entry("the least"),
		Entry("a Bluesky handle", set("spec.handle", "help.acme.example")),
		Entry("a Mastodon handle", set("spec.handle", "news")),
		Entry("a Mastodon handle with its @", set("spec.handle", "@news")),
		Entry("a Mastodon handle with its server", set("spec.handle", "news@social.acme.example")),
		Entry("a Mastodon handle as people mention it", set("spec.handle", "@news@social.acme.example")),
		Entry("digits, dashes and underscores", set("spec.handle", "acme_help-24.7")),
		Entry("an international name as it is resolved", set("spec.handle", "xn--bro-hoa.beispiel.example")),
		Entry("the longest handle", set("spec.handle", strings.Repeat("a", 253))),
		Entry("a DID", set("spec.accountID", did)),
		Entry("a DID of the web", set("spec.accountID", "did:web:localhost%3A8443")),
		Entry("a number in words", set("spec.accountID", "109348751239487123")),
		Entry("a ULID", set("spec.accountID", "01H2QRFXW5CNHY4D0Q3ZTBCE9A")),
		Entry("a purpose", set("spec.purpose", "customer-care")),
		Entry("what is observed only", set("spec.managementPolicy", "Observe")),
		Entry("what is revoked with it", set("spec.deletionPolicy", "Revoke")),
		Entry("what is suspended", set("spec.suspend", true)),
		Entry("a Secret's name with dots", set("spec.credentials.sourceSecretRef.name", "acme.help.source")),
		Entry("a longest name", set("spec.credentials.delivery.secretName", strings.Repeat("a", 253))),
		Entry("a rotation", set(rotation+"interval", "720h")),
		Entry("a rotation with an overlap", set("spec.credentials.rotation", map[string]any{"interval": "720h", "overlap": "1h"})),
		Entry("a rotation as Go writes it", set(rotation+"interval", "720h0m0s")),
		Entry("a rotation in seconds", set(rotation+"interval", "3600s")),
		Entry("the shortest rotation", set(rotation+"interval", "1h")),
		Entry("the longest rotation", set(rotation+"interval", "8760h")),
		Entry("no overlap at all", set("spec.credentials.rotation", map[string]any{"interval": "720h", "overlap": "0s"})),
		Entry("the longest overlap", set("spec.credentials.rotation", map[string]any{"interval": "720h", "overlap": "168h0m0s"})),
		Entry("an overlap just shorter than the interval", set("spec.credentials.rotation", map[string]any{"interval": "1h", "overlap": "59m59s"})),
		Entry("the shortest renewBefore", set("spec.credentials.renewBefore", "60m")),
		Entry("the longest renewBefore", set("spec.credentials.renewBefore", "8760h")),
	)

	DescribeTable("refuses a handle", Label("S25"),
		func(ctx SpecContext, handle any, words string) {
			Expect(tryCreate(ctx, manifest(goodChannel, set("spec.handle", handle)))).To(refuse("spec.handle", words))
		},
		Entry("of nothing", "", "should be at least 1 chars long"),
		Entry("that is too long", strings.Repeat("a", 300), "may not be more than 253"),
		Entry("that is far too long", strings.Repeat("a", 1<<19), "may not be more than 253"),
		Entry("of an @ alone", "@", oneAt),
		Entry("of two @ alone", "@@", oneAt),
		Entry("that begins with two @", "@@news", oneAt),
		Entry("with capitals", "Help.Acme.Example", lowerCase),
		Entry("with one capital", "@News", lowerCase),
		Entry("with letters of other scripts", "büro.beispiel.example", "in its xn-- form"),
		Entry("with a capital beyond ASCII", "École", "in its xn-- form"),
		Entry("that ends with a dot", "help.acme.example.", "must not end with a dot"),
		Entry("with a space", "help acme", invisible),
		Entry("with a space before", " help", invisible),
		Entry("with a space behind", "help ", invisible),
		Entry("with a line break", "help\nready: true", invisible),
		Entry("with a line break behind", "help\n", invisible),
		Entry("with a tab", "help\tacme", invisible),
		Entry("with a NUL", "help\x00acme", invisible),
		Entry("with an escape sequence", "help\x1b[2Jacme", invisible),
		Entry("with a DEL", "help\x7facme", invisible),
		Entry("with a control character beyond ASCII", "help\u0085acme", invisible),
		Entry("with a no-break space", "help\u00a0acme", invisible),
		Entry("with an em space", "help\u2003acme", invisible),
		Entry("with an ideographic space", "help\u3000acme", invisible),
		Entry("with a line separator", "help\u2028acme", invisible),
		Entry("with a zero-width space", "help\u200bacme", invisible),
		Entry("with a zero-width joiner", "help\u200dacme", invisible),
		Entry("with a byte order mark", "\ufeffhelp", invisible),
		Entry("with a soft hyphen", "help\u00adacme", invisible),
		Entry("written from right to left", "help\u202eacme", invisible),
		Entry("in an isolate", "help\u2066acme\u2069", invisible),
		Entry("with a tag character", "help\U000e0041", invisible),
		Entry("with a letter that fills nothing", "help\u3164acme", invisible),
		Entry("with a vowel that is not there", "help\u115facme", invisible),
		Entry("with a grapheme joiner", "help\u034facme", invisible),
		Entry("with a variation selector", "help\ufe0facme", invisible),
		Entry("with a variation selector beyond", "help\U000e0101", invisible),
		Entry("with a pattern of no dots", "help\u2800acme", invisible),
		Entry("with a private character", "help\ue000", invisible),
		Entry("that is a number", 42, "must be of type string"),
		Entry("that is a list", []any{"help"}, "must be of type string"),
	)

	DescribeTable("refuses",
		func(ctx SpecContext, change edit, words ...string) {
			Expect(tryCreate(ctx, manifest(goodChannel, change))).To(refuse(words...))
		},
		Entry("no spec", unset("spec"), "spec: Required value"),
		Entry("no handle", unset("spec.handle"), "spec.handle: Required value"),
		Entry("no handle, in so many words", set("spec.handle", nil), "spec.handle: Required value"),
		Entry("no platform", unset("spec.platformRef"), "spec.platformRef: Required value"),
		Entry("a platform without a name", set("spec.platformRef", map[string]any{}), "spec.platformRef.name: Required value"),
		Entry("no owner", unset("spec.ownerRef"), "spec.ownerRef: Required value"),
		Entry("no credentials", unset("spec.credentials"), "spec.credentials: Required value"),
		Entry("no source", unset("spec.credentials.sourceSecretRef"), "spec.credentials.sourceSecretRef: Required value"),
		Entry("no delivery", unset("spec.credentials.delivery"), "spec.credentials.delivery: Required value"),
		Entry("a rotation without an interval", set(rotation+"overlap", "1h"), rotation+"interval: Required value"),

		Entry("a platform that cannot exist", set("spec.platformRef.name", "Blue Sky"), "spec.platformRef.name", "must be a lower-case DNS name such as customer-care"),
		Entry("a platform in a namespace", Label("S25"), set("spec.platformRef.name", "other/bluesky"), "must be a lower-case DNS name"),
		Entry("an owner that cannot exist", set("spec.ownerRef.name", "Customer Care"), "spec.ownerRef.name", "must be a lower-case DNS name"),
		Entry("an owner of no name", set("spec.ownerRef.name", ""), "spec.ownerRef.name", "at least 1 chars long"),
		Entry("an owner with a long name", set("spec.ownerRef.name", strings.Repeat("a", 254)), "spec.ownerRef.name", "may not be more than 253"),

		Entry("another namespace's Secret", Label("S25"), set("spec.credentials.sourceSecretRef.name", "other/acme-help-source"),
			"spec.credentials.sourceSecretRef.name", "in the same namespace", "without a slash"),
		Entry("another namespace's Secret, by a path", Label("S25"), set("spec.credentials.sourceSecretRef.name", "../other/secrets/x"),
			"spec.credentials.sourceSecretRef.name", "without a slash"),
		Entry("a Secret with capitals", set("spec.credentials.sourceSecretRef.name", "Acme"), "spec.credentials.sourceSecretRef.name", "lower-case letters"),
		Entry("a Secret of no name", set("spec.credentials.sourceSecretRef.name", ""), "at least 1 chars long"),
		Entry("a Secret with a long name", set("spec.credentials.sourceSecretRef.name", strings.Repeat("a", 254)), "may not be more than 253"),
		Entry("delivery to another namespace", Label("S25"), set("spec.credentials.delivery.secretName", "kube-system/acme-help"),
			"spec.credentials.delivery.secretName", "without a slash"),
		Entry("delivery to a Secret with a line break", Label("S25"), set("spec.credentials.delivery.secretName", "acme\nhelp"),
			"spec.credentials.delivery.secretName", "must be a Secret's name"),

		Entry("an account ID of nothing", set("spec.accountID", ""), "spec.accountID", "at least 1 chars long"),
		Entry("an account ID with a space", set("spec.accountID", "did:plc:abc def"), "spec.accountID", "letters, digits and . _ : % - only"),
		Entry("an account ID with a slash", Label("S25"), set("spec.accountID", "did:plc:abc/../def"), "spec.accountID", "letters, digits and"),
		Entry("an account ID that is a URL", set("spec.accountID", "https://bsky.app/profile/x"), "spec.accountID", "the platform's own identifier"),
		Entry("an account ID that is a handle", set("spec.accountID", "@news"), "spec.accountID", "the platform's own identifier"),
		Entry("an account ID with a query", Label("S25"), set("spec.accountID", "1?limit=1"), "spec.accountID", "letters, digits and"),
		Entry("an account ID with a line break behind", Label("S25"), set("spec.accountID", "1\n"), "spec.accountID", "letters, digits and"),
		Entry("an account ID in wide letters", Label("S25"), set("spec.accountID", "ｄｉｄ"), "spec.accountID", "letters, digits and"),
		Entry("an account ID that is too long", set("spec.accountID", strings.Repeat("1", 257)), "spec.accountID", "may not be more than 256"),
		Entry("an account ID that is a number", set("spec.accountID", 109348751239487123), "spec.accountID", "must be of type string"),

		Entry("a purpose in many words", set("spec.purpose", "Customer care"), "spec.purpose", "must be lower-case letters, digits and -"),
		Entry("a purpose of nothing", set("spec.purpose", ""), "spec.purpose", "at least 1 chars long"),
		Entry("a long purpose", set("spec.purpose", strings.Repeat("a", 64)), "spec.purpose", "may not be more than 63"),
		Entry("an unknown management policy", set("spec.managementPolicy", "Watch"), "spec.managementPolicy", `supported values: "Manage", "Observe"`),
		Entry("a management policy of nothing", set("spec.managementPolicy", ""), "spec.managementPolicy", `supported values: "Manage", "Observe"`),
		Entry("an unknown deletion policy", set("spec.deletionPolicy", "Delete"), "spec.deletionPolicy", `supported values: "Orphan", "Revoke"`),
		Entry("a deletion policy in another case", set("spec.deletionPolicy", "revoke"), "spec.deletionPolicy", `supported values: "Orphan", "Revoke"`),
		Entry("a suspension in words", set("spec.suspend", "yes"), "spec.suspend", "must be of type boolean"),
	)

	Describe("with durations", Label("S25"), func() {
		const (
			intervalWords = "interval must be a duration in hours, minutes and seconds such as 720h, from 1h to 8760h"
			renewWords    = "renewBefore must be a duration in hours, minutes and seconds such as 720h, from 1h to 8760h"
			overlapWords  = "overlap must be a duration in hours, minutes and seconds such as 1h, from 0s to 168h"
		)
		for _, field := range []struct{ name, path, words string }{
			{"an interval", rotation + "interval", intervalWords},
			{"a renewBefore", "spec.credentials.renewBefore", renewWords},
			{"an overlap", rotation + "overlap", overlapWords},
		} {
			DescribeTable("refuses "+field.name,
				func(ctx SpecContext, value any, words ...string) {
					edits := []edit{set(field.path, value)}
					if field.name == "an overlap" {
						edits = append(edits, set(rotation+"interval", "8760h"))
					}
					if len(words) == 0 {
						words = []string{field.words}
					}
					Expect(tryCreate(ctx, manifest(goodChannel, edits...))).To(refuse(append(words, field.path)...))
				},
				Entry("that is huge", "9999999h"),
				Entry("that is too long by little", "8760h1s"),
				Entry("of many years in seconds", "99999999s"),
				Entry("that no machine can count", "99999h999999m99999999s"),
				Entry("that is negative", "-1h"),
				Entry("in days", "1d"),
				Entry("in weeks", "2w"),
				Entry("in words", "an hour"),
				Entry("without a unit", "3600"),
				Entry("with a fraction", "1.5h"),
				Entry("in milliseconds", "3600000ms"),
				Entry("with spaces", "1h 30m"),
				Entry("with a line break behind", "1h\n"),
				Entry("in another order", "30m1h"),
				Entry("in ISO 8601", "P1D"),
				Entry("in capitals", "1H"),
				Entry("in wide digits", "１h"),
				Entry("of nothing", ""),
				Entry("of a unit alone", "h"),
				Entry("of very many characters", strings.Repeat("1", 100)+"h", "may not be more than 32"),
				Entry("that is a number", 3600, "must be of type string"),
			)
		}

		DescribeTable("refuses what is too short or does not fit",
			func(ctx SpecContext, change edit, words string) {
				Expect(tryCreate(ctx, manifest(goodChannel, change))).To(refuse(words))
			},
			Entry("an interval of zero", set(rotation+"interval", "0s"), intervalWords),
			Entry("an interval just too short", set(rotation+"interval", "59m59s"), intervalWords),
			Entry("a renewBefore of zero", set("spec.credentials.renewBefore", "0h"), renewWords),
			Entry("a renewBefore just too short", set("spec.credentials.renewBefore", "59m59s"), renewWords),
			Entry("an overlap that is too long", set("spec.credentials.rotation", map[string]any{"interval": "8760h", "overlap": "168h1s"}), overlapWords),
			Entry("an overlap as long as the interval", set("spec.credentials.rotation", map[string]any{"interval": "1h", "overlap": "60m"}), "overlap must be shorter than interval"),
			Entry("an overlap longer than the interval", set("spec.credentials.rotation", map[string]any{"interval": "1h", "overlap": "2h"}), "overlap must be shorter than interval"),
			Entry("the default overlap in the shortest interval", set("spec.credentials.rotation", map[string]any{"interval": "1h", "overlap": "1h0m0s"}), "overlap must be shorter than interval"),
			Entry("an interval and an overlap that are both nonsense", set("spec.credentials.rotation", map[string]any{"interval": "1d", "overlap": "1d"}), intervalWords),
			Entry("an interval of null", set(rotation+"interval", nil), "interval: Required value"),
		)

		It("takes a null for left out, and fills in the default", func(ctx SpecContext) {
			channel := manifest(goodChannel, set("spec.credentials.renewBefore", nil))
			Expect(tryCreate(ctx, channel)).To(Succeed())
			Expect(channel.Object).To(HaveKeyWithValue("spec", HaveKeyWithValue("credentials", HaveKeyWithValue("renewBefore", "336h"))))
		})

		It("accepts them from the typed client, which writes them as Go does", func(ctx SpecContext) {
			channel := typedChannel()
			channel.Spec.Credentials.Rotation = &v1alpha1.CredentialRotation{
				Interval: &metav1.Duration{Duration: 720 * time.Hour}, Overlap: &metav1.Duration{Duration: 90 * time.Minute},
			}
			channel.Spec.Credentials.RenewBefore = &metav1.Duration{Duration: 24 * time.Hour}
			Expect(tryCreate(ctx, channel)).To(Succeed())
			channel.ResourceVersion = ""
			channel.Spec.Credentials.Rotation.Overlap = &metav1.Duration{}
			Expect(tryCreate(ctx, channel)).To(Succeed(), "an overlap of zero is written as 0s")
			channel.ResourceVersion = ""
			channel.Spec.Credentials.Rotation.Interval = &metav1.Duration{Duration: 1500 * time.Millisecond}
			Expect(tryCreate(ctx, channel)).To(refuse(intervalWords))
		})
	})

	Describe("fills in", func() {
		It("what is left out", func(ctx SpecContext) {
			channel := manifest(goodChannel)
			Expect(tryCreate(ctx, channel)).To(Succeed())
			Expect(channel.Object).To(HaveKeyWithValue("spec", And(
				HaveKeyWithValue("managementPolicy", "Manage"),
				HaveKeyWithValue("deletionPolicy", "Orphan"),
				HaveKeyWithValue("credentials", And(HaveKeyWithValue("renewBefore", "336h"), Not(HaveKey("rotation")))),
				Not(HaveKey("accountID")), Not(HaveKey("purpose")), Not(HaveKey("suspend")),
			)))
		})

		It("the same for the typed client", func(ctx SpecContext) {
			channel := typedChannel()
			Expect(tryCreate(ctx, channel)).To(Succeed())
			Expect(channel.Spec.ManagementPolicy).To(Equal(v1alpha1.ManagementManage))
			Expect(channel.Spec.DeletionPolicy).To(Equal(v1alpha1.DeletionOrphan))
			Expect(channel.Spec.Credentials.RenewBefore).To(HaveValue(HaveField("Duration", 336*time.Hour)))
			Expect(channel.Spec.Credentials.Rotation).To(BeNil())
			Expect(channel.Spec.Suspend).To(BeNil())
		})

		It("nothing over what is there", func(ctx SpecContext) {
			channel := manifest(goodChannel, set("spec.managementPolicy", "Observe"), set("spec.deletionPolicy", "Revoke"), set("spec.credentials.renewBefore", "24h"))
			Expect(tryCreate(ctx, channel)).To(Succeed())
			Expect(channel.Object).To(HaveKeyWithValue("spec", And(
				HaveKeyWithValue("managementPolicy", "Observe"), HaveKeyWithValue("deletionPolicy", "Revoke"),
				HaveKeyWithValue("credentials", HaveKeyWithValue("renewBefore", "24h")))))
		})
	})

	Describe("once it is there", func() {
		const cannotChange = "accountID cannot change once it is set: another account is another SocialChannel"

		DescribeTable("with a pinned account",
			func(ctx SpecContext, change edit, matcher types.GomegaMatcher) {
				channel := manifest(goodChannel, set("spec.accountID", did))
				created(ctx, channel)
				Expect(tryUpdate(ctx, channel, change)).To(matcher)
			},
			Entry("keeps it", set("spec.accountID", did), Succeed()),
			Entry("refuses another", Label("S9"), set("spec.accountID", "did:plc:zzzzzzzzzzzzzzzzzzzzzzzz"), refuse("spec.accountID", cannotChange)),
			Entry("refuses to let it go", Label("S9"), unset("spec.accountID"), refuse("spec.accountID", cannotChange)),
			Entry("refuses to let it go by a null", Label("S9"), set("spec.accountID", nil), refuse("spec.accountID", cannotChange)),
			Entry("refuses to empty it", Label("S9"), set("spec.accountID", ""), refuse("spec.accountID")),
			Entry("refuses another case of it", set("spec.accountID", strings.ToUpper(did)), refuse(cannotChange)),
			Entry("changes owner", Label("S6"), set("spec.ownerRef.name", "marketing"), Succeed()),
			Entry("changes handle", Label("S8"), set("spec.handle", "care.acme.example"), Succeed()),
			Entry("changes its source", set("spec.credentials.sourceSecretRef.name", "another"), Succeed()),
			Entry("changes the place of delivery", set("spec.credentials.delivery.secretName", "another"), Succeed()),
			Entry("changes its policies", set("spec.deletionPolicy", "Revoke"), Succeed()),
			Entry("refuses another platform", set("spec.platformRef.name", "mastodon"),
				refuse("spec.platformRef", "platformRef cannot change: an account on another platform is another SocialChannel")),
			Entry("refuses a bad handle", Label("S25"), set("spec.handle", "help\u200b"), refuse(invisible)),
		)

		It("can be pinned later, once", func(ctx SpecContext) {
			channel := manifest(goodChannel)
			created(ctx, channel)
			Expect(kube.Patch(ctx, channel, merge(`{"spec":{"accountID":"`+did+`"}}`))).To(Succeed())
			Expect(kube.Patch(ctx, channel, merge(`{"spec":{"accountID":"did:plc:other"}}`))).To(refuse(cannotChange))
			Expect(kube.Patch(ctx, channel, merge(`{"spec":{"accountID":null}}`))).To(refuse(cannotChange))
		})

		It("cannot be moved by replacing its spec", func(ctx SpecContext) {
			channel := manifest(goodChannel, set("spec.accountID", did))
			created(ctx, channel)
			Expect(tryUpdate(ctx, channel, unset("spec"))).To(refuse("spec: Required value"))
			Expect(tryUpdate(ctx, channel, unset("spec.platformRef"))).To(refuse("spec.platformRef: Required value"))
		})
	})
})

func merge(patch string) client.Patch {
	return client.RawPatch(apitypes.MergePatchType, []byte(patch))
}

func typedChannel() *v1alpha1.SocialChannel {
	return &v1alpha1.SocialChannel{
		ObjectMeta: metav1.ObjectMeta{Namespace: "social", Name: "typed"},
		Spec: v1alpha1.SocialChannelSpec{
			PlatformRef: v1alpha1.ClusterReference{Name: "bluesky"},
			Handle:      "help.acme.example",
			OwnerRef:    v1alpha1.ClusterReference{Name: "customer-care"},
			Credentials: v1alpha1.ChannelCredentials{
				SourceSecretRef: v1alpha1.SecretReference{Name: "acme-help-source"},
				Delivery:        v1alpha1.CredentialDelivery{SecretName: "acme-help"},
			},
		},
	}
}

// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package secretstore_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/credentials/secretstore"
	"github.com/rostra-dev/rostra/internal/platform"
)

var keys = []platform.SourceKey{
	{Name: "password", Required: true, Purpose: "the account's password"},
	{Name: "identifier", Purpose: "the account's handle or e-mail address"},
}

const place = "social/acme-help-source"

var _ = Describe("Source", func() {
	DescribeTable("reads the keys that the platform knows, and no others",
		func(ctx SpecContext, data, wanted map[string]string) {
			source, err := newStore(newSecret("social", "acme-help-source", data)).Source(ctx, newChannel(), keys)
			Expect(err).NotTo(HaveOccurred())
			Expect(reveal(source.Values)).To(Equal(wanted))
			Expect(source.ResourceVersion).NotTo(BeEmpty())
		},
		Entry("all", map[string]string{"password": hidden, "identifier": "help"}, map[string]string{"password": hidden, "identifier": "help"}),
		Entry("what is required", map[string]string{"password": hidden}, map[string]string{"password": hidden}),
		Entry("not what is empty", map[string]string{"password": hidden, "identifier": " \n"}, map[string]string{"password": hidden}),
		Entry("not what else there is", map[string]string{"password": hidden, "card": "4111"}, map[string]string{"password": hidden}),
		Entry("without the line break that editors leave", map[string]string{"password": hidden + "\r\n"}, map[string]string{"password": hidden}),
		Entry("with the spaces inside", map[string]string{"password": " correct horse battery\n"}, map[string]string{"password": "correct horse battery"}),
		Entry("of the greatest length", map[string]string{"password": strings.Repeat("x", 16<<10) + "\n"}, map[string]string{"password": strings.Repeat("x", 16<<10)}),
	)

	DescribeTable("says what is missing, and never what is there", Label("S25"),
		func(ctx SpecContext, data map[string]string, words ...string) {
			_, err := newStore(newSecret("social", "acme-help-source", data)).Source(ctx, newChannel(), keys)
			Expect(err).To(failWith(secretstore.ErrInvalid, append(words, place)...))
		},
		Entry("nothing is there", map[string]string{}, `no key "password", which must hold the account's password; it has no keys at all`),
		Entry("another key is there", map[string]string{"passwort": hidden}, `no key "password"`, "it has passwort"),
		Entry("it is empty", map[string]string{"password": ""}, `key "password"`, "is empty: it must hold the account's password"),
		Entry("it is blank", map[string]string{"password": " \n\t"}, `key "password"`, "is empty"),
		Entry("it is too long", map[string]string{"password": hidden + strings.Repeat("x", 16<<10)}, `key "password"`, "more than 16384 bytes"),
		Entry("what is optional is too long", map[string]string{"password": hidden, "identifier": strings.Repeat(hidden, 2000)}, `key "identifier"`, "more than 16384 bytes"),
		Entry("many other keys are there", otherKeys(20), "it has key-00, key-01, key-02, key-03, key-04, key-05, key-06, key-07 and 12 more"),
	)

	It("lists eight keys without counting the rest", func(ctx SpecContext) {
		_, err := newStore(newSecret("social", "acme-help-source", otherKeys(8))).Source(ctx, newChannel(), keys)
		Expect(err).To(failWith(secretstore.ErrInvalid))
		Expect(err.Error()).To(HaveSuffix("it has key-00, key-01, key-02, key-03, key-04, key-05, key-06, key-07"))
	})

	It("says what to create where there is nothing", func(ctx SpecContext) {
		_, err := newStore().Source(ctx, newChannel(), keys)
		Expect(err).To(failWith(secretstore.ErrNotFound, "create Secret "+place+" with the keys password, identifier (optional)"))
	})

	It("never looks into another namespace", Label("S25"), func(ctx SpecContext) {
		store := newStore(newSecret("other", "acme-help-source", map[string]string{"password": hidden}))
		_, err := store.Source(ctx, newChannel(), keys)
		Expect(err).To(failWith(secretstore.ErrNotFound))
	})

	It("says which right is missing", func(ctx SpecContext) {
		store := failing(apierrors.NewForbidden(corev1.Resource("secrets"), "acme-help-source", errors.New("no")))
		_, err := store.Source(ctx, newChannel(), keys)
		Expect(err).To(failWith(secretstore.ErrSourceForbidden, "namespace social"))
	})

	It("hands on other trouble as it is", func(ctx SpecContext) {
		store := failing(apierrors.NewTooManyRequests("later", 1))
		_, err := store.Source(ctx, newChannel(), keys)
		Expect(err).To(MatchError(apierrors.IsTooManyRequests, "still says what it was"))
		Expect(err).To(MatchError(ContainSubstring(place)))
		for _, kind := range []error{secretstore.ErrNotFound, secretstore.ErrInvalid, secretstore.ErrSourceForbidden} {
			Expect(err).NotTo(MatchError(kind))
		}
	})
})

// otherKeys are so many that no platform asks for.
func otherKeys(size int) map[string]string {
	many := map[string]string{}
	for i := range size {
		many[fmt.Sprintf("key-%02d", i)] = hidden
	}
	return many
}

// failing is a store whose API answers every request with this.
func failing(answer error) *secretstore.Store {
	GinkgoHelper()
	return &secretstore.Store{Client: newClient(interceptor.Funcs{
		Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
			return answer
		},
		Create: func(context.Context, client.WithWatch, client.Object, ...client.CreateOption) error { return answer },
		Update: func(context.Context, client.WithWatch, client.Object, ...client.UpdateOption) error { return answer },
		Delete: func(context.Context, client.WithWatch, client.Object, ...client.DeleteOption) error { return answer },
	})}
}

var _ = Describe("SourceID", func() {
	id := func(values credentials.Values) string {
		return secretstore.SourceID(newChannel(), credentials.Credential{Values: values})
	}

	It("is a name that says nothing", func() {
		Expect(id(values("TOKEN", hidden))).To(MatchRegexp(`^source-[a-z2-7]{16}$`))
		Expect(id(nil)).To(MatchRegexp(`^source-[a-z2-7]{16}$`))
	})

	It("is the same for the same credential, whatever else is said of it", func() {
		one := credentials.Credential{Values: values("TOKEN", hidden, "ID", "7")}
		other := credentials.Credential{ID: "mine", ExpiresAt: time.Now(), Values: values("ID", "7", "TOKEN", hidden)}
		Expect(secretstore.SourceID(newChannel(), one)).To(Equal(secretstore.SourceID(newChannel(), other)))
	})

	It("is another for another channel, so that none can be told from the other's", func() {
		credential := credentials.Credential{Values: values("TOKEN", hidden)}
		elsewhere := newChannel(func(c *v1alpha1.SocialChannel) { c.UID = "0b1f6a52-9c1d-4b7e-8f0a-3d2c1b0a9f8f" })
		Expect(secretstore.SourceID(newChannel(), credential)).NotTo(Equal(secretstore.SourceID(elsewhere, credential)))
	})

	DescribeTable("is another for another credential",
		func(one, other credentials.Values) { Expect(id(one)).NotTo(Equal(id(other))) },
		Entry("another value", values("TOKEN", "a"), values("TOKEN", "b")),
		Entry("another key", values("TOKEN", "a"), values("PASSWORD", "a")),
		Entry("one more", values("TOKEN", "a"), values("TOKEN", "a", "ID", "b")),
		Entry("swapped", values("A", "1", "B", "2"), values("A", "2", "B", "1")),
		Entry("parted elsewhere", values("A", "1\nB=1:2"), values("A", "1", "B", "2")),
		Entry("empty and absent", values("A", ""), values()),
	)

	It("is another for every other credential", func() {
		anyValues := rapid.MapOfN(rapid.StringMatching(`[A-Z_]{1,4}`), rapid.StringMatching(`[a-b=:\n0-3]{0,6}`), 0, 3)
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			one, other := anyValues.Draw(t, "one"), anyValues.Draw(t, "other")
			wrap := func(plain map[string]string) credentials.Values {
				wrapped := credentials.Values{}
				for key, value := range plain {
					wrapped[key] = credentials.NewValue(value)
				}
				return wrapped
			}
			if same := reflect.DeepEqual(one, other); same != (id(wrap(one)) == id(wrap(other))) {
				t.Fatalf("%v and %v", one, other)
			}
		})
	})
})

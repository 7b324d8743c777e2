// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"context"
	"encoding/json"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/cli"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
)

// silent is a platform that can do what every one can.
type silent struct{ platform.Platform }

func (silent) SourceKeys() []platform.SourceKey { return []platform.SourceKey{{Name: "token"}} }

// talkative is one that can be asked for events, and revokes.
type talkative struct{ silent }

func (talkative) Polls() []event.Kind { return []event.Kind{event.Other, event.OwnPost, event.Mention} }

func (talkative) Poll(context.Context, platform.Account, string, []event.Kind) (platform.Page, error) {
	return platform.Page{}, nil
}

func (talkative) Revoke(context.Context, platform.Account, credentials.Credential) (platform.Revocation, error) {
	return platform.Revocation{}, nil
}

var _ = Describe("rostra platforms", func() {
	list := func(args ...string) string {
		GinkgoHelper()
		r := execute(cli.Config{Platforms: func() (platform.Registry, error) {
			return platform.Registry{
				"Talkative": func(string) (platform.Platform, error) { return talkative{}, nil },
				"Plain":     func(string) (platform.Platform, error) { return silent{}, nil },
			}, nil
		}}, "", append([]string{"platforms"}, args...)...)
		Expect(r.code).To(Equal(cli.ExitOK), r.stderr)
		return r.stdout
	}

	It("says what the adapters' own code can do", func() {
		var found []map[string]any
		Expect(json.Unmarshal([]byte(list("-o", "json")), &found)).To(Succeed())
		Expect(found).To(HaveLen(2))
		Expect(found[0]).To(And(HaveKeyWithValue("type", "Plain"), HaveKeyWithValue("revoke", false), HaveKeyWithValue("poll", BeEmpty())))
		Expect(found[1]).To(And(HaveKeyWithValue("revoke", true), HaveKeyWithValue("mint", false), HaveKeyWithValue("poll", ConsistOf("Mention", "OwnPost"))))
	})

	It("is a table for people, and one for the documentation", func() {
		Expect(list()).To(And(ContainSubstring("TALKATIVE\n"), MatchRegexp(`events that are polled +Mention, OwnPost\n`)))
		Expect(list("-o", "markdown")).To(And(ContainSubstring("| what | Plain | Talkative |\n|---|---|---|\n"), ContainSubstring("| events that are polled | none | Mention, OwnPost |\n")))
	})
})

// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"io"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/cli"
)

const xChannel = `
apiVersion: social.rostra.dev/v1alpha1
kind: SocialChannel
metadata: {name: acme-x, namespace: social}
spec: {platformRef: {name: x}, handle: acme, ownerRef: {name: care}, credentials: {sourceSecretRef: {name: acme-x}, delivery: {secretName: acme-x}}}
`

// offer is a status with a link to connect the account.
func offer(expires string) map[string]any {
	return map[string]any{"authorization": map[string]any{"url": "https://hooks.acme.example/connect/token", "expires": expires}}
}

var _ = Describe("rostra connect", func() {
	const path = group + "/namespaces/social/socialchannels/acme-x"

	It("prints the address that the operator shows, alone on standard output", func() {
		a, config := serve(xChannel)
		a.objects[path]["status"] = offer("2026-11-22T18:00:00Z")
		r := rostra("connect", "acme-x", "--kubeconfig", config)
		Expect(r.stderr).To(Equal("Open this address in a browser, signed in to the account acme, before 2026-11-22T18:00:00Z.\n"))
		Expect(r.stdout).To(Equal("https://hooks.acme.example/connect/token\n"))
		Expect(r.code).To(Equal(cli.ExitOK))
		Expect(a.asked).To(Equal([]string{"GET /namespaces/social/socialchannels/acme-x"}), "nothing is written")
	})

	It("asks for an address where none is shown, or its time is over", func() {
		a, config := serve(xChannel)
		a.objects[path]["status"] = offer("2026-11-22T11:59:00Z")
		asked := ""
		a.patched = func(object map[string]any, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			asked = string(body)
			object["status"] = offer("2026-11-23T12:00:00Z")
		}
		r := rostra("connect", "social/acme-x", "--kubeconfig", config)
		Expect(r.stdout).To(Equal("https://hooks.acme.example/connect/token\n"), r.stderr)
		Expect(asked).To(MatchJSON(`{"metadata":{"annotations":{"social.rostra.dev/connect-at":"2026-11-22T12:00:00Z"}}}`))
	})

	It("waits until the account is connected with another source credential", func() {
		a, config := serve(xChannel)
		a.objects[path]["status"] = offer("2026-11-22T11:00:00Z")
		a.patched = func(object map[string]any, _ *http.Request) {
			status := offer("2026-11-23T12:00:00Z")
			object["status"] = status
		}
		r := rostra("connect", "acme-x", "--kubeconfig", config, "--wait", "--timeout", "50ms")
		Expect(r.code).To(Equal(cli.ExitFailure))
		Expect(r.stderr).To(HaveSuffix("rostra: wait until social/acme-x is connected: nothing came of it within 50ms\n"))
	})

	It("says what it takes where no address is shown", func() {
		a, config := serve(xChannel)
		r := rostra("connect", "acme-x", "--kubeconfig", config, "--timeout", "50ms")
		Expect(r.code).To(Equal(cli.ExitFailure))
		Expect(r.stderr).To(And(ContainSubstring("--gateway-url"), ContainSubstring("rostra platforms")))
		Expect(a.asked).To(ContainElement("PATCH /namespaces/social/socialchannels/acme-x"))
	})

	It("says that there is no such channel", func() {
		_, config := serve(xChannel)
		Expect(rostra("connect", "acme-y", "--kubeconfig", config).stderr).To(ContainSubstring(`read SocialChannel social/acme-y: socialchannels.social.rostra.dev "acme-y" not found`))
	})
})

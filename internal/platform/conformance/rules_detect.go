// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"net/http"

	"github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
)

func detectRules() []Rule {
	return []Rule{
		{Name: "detects the server, and promises only what it has ports for", check: checkDetect},
		{Name: "blames no credential when the server cannot be detected", check: checkDetectFaults},
	}
}

func checkDetect(ctx context.Context, t *trial) {
	server, err := t.adapter.Detect(ctx)
	t.Expect(err).NotTo(gomega.HaveOccurred())
	t.Expect(len(server.Software)).To(gomega.BeNumerically("<=", 128), "the software must fit into a status")
	seen := map[platform.Capability]bool{}
	for _, capability := range server.Capabilities {
		t.Expect(seen).NotTo(gomega.HaveKey(capability), "a capability must be named once")
		seen[capability] = true
	}
	if seen[platform.CapabilityMint] {
		t.Expect(isIssuer(t.adapter)).To(gomega.BeTrue(), "the capability Mint needs the port Issuer")
	}
	if seen[platform.CapabilityRevoke] {
		t.Expect(isIssuer(t.adapter) || isRevoker(t.adapter)).To(gomega.BeTrue(), "the capability Revoke needs the port Revoker or Issuer")
	}
}

func checkDetectFaults(ctx context.Context, t *trial) {
	for _, fault := range []faults.Fault{
		faults.Status(http.StatusServiceUnavailable), faults.HTML(http.StatusOK), faults.HTML(http.StatusForbidden), faults.HalfJSON(),
	} {
		t.Server.Faults.Inject("", fault)
		_, err := t.adapter.Detect(ctx)
		t.Expect(t.failure(err).Class).NotTo(gomega.BeElementOf(speaksOfCredential()), "%s", fault)
		t.Server.Faults.Heal()
	}
	_, err := t.adapter.Detect(ctx)
	t.Expect(err).NotTo(gomega.HaveOccurred(), "the server must be detected once it is in order again")
}

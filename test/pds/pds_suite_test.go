// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package pds_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/test/pds"
)

const (
	// installTime is enough for a first install on a slow machine.
	installTime = 9 * time.Minute
	// specTime bounds everything else that talks to the server.
	specTime = time.Minute
)

func TestPDS(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Bluesky PDS")
}

// skipWithoutTools skips the spec on a machine that cannot install the server,
// except in CI, where that would hide a broken set-up.
func skipWithoutTools(err error) {
	GinkgoHelper()
	if errors.Is(err, pds.ErrUnavailable) && os.Getenv("CI") == "" {
		Skip(err.Error())
	}
}

// startServer starts a server that ends with the spec or container.
func startServer(ctx context.Context, options pds.Options) *pds.Server {
	GinkgoHelper()
	options.Log = GinkgoWriter
	server, err := pds.Start(ctx, options)
	skipWithoutTools(err)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(server.Stop()).To(Succeed()) })
	return server
}

var handles atomic.Int64

// newAccount makes an account with a handle that no other spec uses.
func newAccount(ctx context.Context, server *pds.Server) pds.Account {
	GinkgoHelper()
	account, err := server.CreateAccount(ctx, fmt.Sprintf("acme-%d.test", handles.Add(1)))
	Expect(err).NotTo(HaveOccurred())
	return account
}

// newSession logs in with the main password.
func newSession(ctx context.Context, server *pds.Server, account pds.Account) pds.Session {
	GinkgoHelper()
	session, err := server.CreateSession(ctx, account.DID, account.Password)
	Expect(err).NotTo(HaveOccurred())
	return session
}

// newAppSession makes an app password and logs in with it.
func newAppSession(ctx context.Context, server *pds.Server, account pds.Account, name string) (pds.Session, string) {
	GinkgoHelper()
	password, err := server.CreateAppPassword(ctx, account, name)
	Expect(err).NotTo(HaveOccurred())
	session, err := server.CreateSession(ctx, account.DID, password)
	Expect(err).NotTo(HaveOccurred())
	return session, password
}

// do sends a call that must be answered.
func do(ctx context.Context, server *pds.Server, call pds.Call) pds.Answer {
	GinkgoHelper()
	answer, err := server.Do(ctx, call)
	Expect(err).NotTo(HaveOccurred())
	return answer
}

// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package faults_test kills what lies between a platform and the person who
// answers, under load, and keeps the ledger: what was sent, acknowledged,
// stored, told, told twice, lost. The tests play the platform and the people, so
// the ledger is theirs, and not of those who are killed.
package faults_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// programs are the paths of what is started and killed.
var programs struct{ worker, nats string }

func TestFaults(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(time.Minute) // a busy machine is no failure
	SetDefaultEventuallyPollingInterval(5 * time.Millisecond)
	RunSpecs(t, "Processes die under load")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	dir := GinkgoT().TempDir()
	programs.worker = build(ctx, dir, "worker", "./worker")
	programs.nats = build(ctx, dir, "nats-server", "github.com/nats-io/nats-server/v2") // the version of go.mod
}, NodeTimeout(15*time.Minute))

// build compiles a program.
func build(ctx context.Context, dir, name, what string) string {
	GinkgoHelper()
	path := filepath.Join(dir, name)
	out, err := exec.CommandContext(ctx, "go", "build", "-o", path, what).CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "%s", out)
	return path
}

// setting reads a number from the environment.
func setting(name string, otherwise int) int {
	GinkgoHelper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	number, err := strconv.Atoi(text)
	Expect(err).NotTo(HaveOccurred(), name)
	return number
}

// freeAddress gives a loopback address that nobody listens on at the moment.
func freeAddress(ctx context.Context) string {
	GinkgoHelper()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	address := listener.Addr().String()
	Expect(listener.Close()).To(Succeed())
	return address
}

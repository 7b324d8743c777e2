// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// asProgram tells the test binary to be the program.
const asProgram = "ROSTRA_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestQuestionEndsAtTheFirstSignal interrupts a question that waits for its
// standard input.
func TestQuestionEndsAtTheFirstSignal(t *testing.T) {
	stdin, hold, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = stdin.Close(), hold.Close() }()
	ctx := t.Context()
	question := exec.CommandContext(ctx, os.Args[0], "oncall", "-f", "-", "care")
	question.Env, question.Stdin = append(os.Environ(), asProgram+"=1"), stdin
	if err := question.Start(); err != nil {
		t.Fatal(err)
	}
	// The pipe takes more than it holds only once the program reads.
	if _, err := hold.Write(make([]byte, 1<<18)); err != nil {
		t.Fatal(err)
	}
	if err := question.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- question.Wait() }()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Error("it goes on after the first signal")
		_ = question.Process.Kill()
		<-ended
	}
	if status, ok := question.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGINT {
		t.Errorf("it ended with %v, and not by the signal", question.ProcessState)
	}
}

// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package child starts programs for tests and the demo that do not outlive the
// program that started them, where the operating system can see to that.
package child

import (
	"os/exec"
	"runtime"
	"syscall"
)

// Process is a program that was started.
type Process struct {
	// Cmd is the command; its Process is set.
	Cmd *exec.Cmd

	ended chan struct{}
	err   error
}

// Start runs a command as the leader of a process group of its own, so that
// Ctrl-C is for its parent to handle. On Linux the child gets the signal when
// the parent ends, however it ends.
func Start(cmd *exec.Cmd, whenParentEnds syscall.Signal) (*Process, error) {
	cmd.SysProcAttr = Attributes(whenParentEnds)
	p := &Process{Cmd: cmd, ended: make(chan struct{})}
	started := make(chan error)
	go p.run(started)
	return p, <-started
}

// run starts the command and waits for its end. Linux signals a child when the
// thread that started it ends, so this goroutine keeps that thread for itself.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.Cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.Cmd.Wait()
	close(p.ended)
}

// Ended is closed when the program has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Err is how the program ended. It may be asked once Ended is closed.
func (p *Process) Err() error { return p.err }

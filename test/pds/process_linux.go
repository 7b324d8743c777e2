// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package pds

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// ownGroup starts a child as the leader of a process group, so that its own
// children can be signalled with it.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// wakeOnParentDeath lets a paused child see that its parent is gone: a stopped
// process would otherwise never notice that its standard input has closed.
func wakeOnParentDeath() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGCONT}
}

// waitStopped returns when the kernel has stopped every thread of the child.
func waitStopped(process *os.Process) error {
	for {
		err := unix.Waitid(unix.P_PID, process.Pid, nil, unix.WSTOPPED, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("waiting for the server to pause: %w", err)
		}
		return nil
	}
}

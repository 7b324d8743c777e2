// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import "syscall"

// childAttributes puts a child in a process group of its own, so that an interrupt at the terminal reaches the caller
// first, which then stops the cluster in order; and has the kernel kill the child when the caller is gone.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

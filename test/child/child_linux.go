// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package child

import "syscall"

// Attributes make a child the leader of a process group, and signal it when its
// parent ends.
func Attributes(whenParentEnds syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: whenParentEnds}
}

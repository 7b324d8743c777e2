// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package child

import "syscall"

// Attributes make a child the leader of a process group. Only Linux can signal
// it when its parent ends.
func Attributes(syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

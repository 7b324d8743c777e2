// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package cluster

import "syscall"

// childAttributes puts a child in a process group of its own, so that an interrupt at the terminal reaches the caller
// first, which then stops the cluster in order. A caller that is killed leaves its children behind on these systems.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

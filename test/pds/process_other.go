// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package pds

import (
	"os"
	"syscall"
)

// ownGroup starts a child as the leader of a process group, so that its own
// children can be signalled with it.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// wakeOnParentDeath is ownGroup here: only Linux can signal a child whose parent
// died, so a server that is paused at that moment stays paused.
func wakeOnParentDeath() *syscall.SysProcAttr { return ownGroup() }

// waitStopped returns at once: the signal is on its way and arrives in order.
func waitStopped(*os.Process) error { return nil }

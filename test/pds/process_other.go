// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package pds

import (
	"os"
)

// waitStopped returns at once: the signal is on its way and arrives in order.
func waitStopped(*os.Process) error { return nil }

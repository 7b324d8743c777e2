// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build !linux && !darwin && !freebsd

package inbox

// roomUnder is not known on this system.
func roomUnder(string) (bytes uint64, known bool) { return 0, false }

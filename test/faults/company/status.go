// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package company

// Status is what a worker says of itself.
type Status struct {
	PID int `json:"pid"`
	// Ready and Stuck are the inbox's words; empty where all is well.
	Ready string `json:"ready"`
	Stuck string `json:"stuck"`
	// Synced tells that the conversations are known, so that turns are taken.
	Synced bool `json:"synced"`
}

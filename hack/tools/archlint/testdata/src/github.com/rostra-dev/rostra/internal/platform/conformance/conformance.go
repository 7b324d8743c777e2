// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package conformance is run by tests alone: what it reads is what they wrote.
package conformance

import "io"

func Run(source io.Reader) ([]byte, error) { return io.ReadAll(source) }

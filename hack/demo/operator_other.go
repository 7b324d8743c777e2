// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package main

// memory is told on Linux alone.
func (o *operator) memory() string { return "" }

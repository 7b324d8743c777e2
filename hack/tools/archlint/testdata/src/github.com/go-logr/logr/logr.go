// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package logr has the shape of the logger that the rule looks for.
package logr

type Logger struct{}

func (Logger) Error(err error, message string, keysAndValues ...any) {}
func (Logger) Info(message string, keysAndValues ...any)             {}

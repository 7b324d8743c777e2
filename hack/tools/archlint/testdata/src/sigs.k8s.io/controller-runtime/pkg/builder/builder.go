// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package builder has the shape of the controller builder.
package builder

type Option interface{ apply() }

type metadata struct{}

func (metadata) apply() {}

var OnlyMetadata = metadata{}

type Builder[request comparable] struct{}

func NewControllerManagedBy() *Builder[string] { return nil }

func (b *Builder[request]) For(object any, options ...Option) *Builder[request]  { return b }
func (b *Builder[request]) Owns(object any, options ...Option) *Builder[request] { return b }
func (b *Builder[request]) Watches(object, handler any, options ...Option) *Builder[request] {
	return b
}
func (b *Builder[request]) WatchesMetadata(object, handler any, options ...Option) *Builder[request] {
	return b
}

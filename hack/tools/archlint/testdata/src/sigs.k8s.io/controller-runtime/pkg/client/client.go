// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package client has the shape of the reader and the field indexer.
package client

type Reader interface {
	Get(key string, object any) error
}

type FieldIndexer interface {
	IndexField(object any, field string) error
}

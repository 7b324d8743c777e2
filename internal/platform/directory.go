// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"errors"
	"fmt"
	"sync"
)

// ErrUnsupportedType is returned for a platform type that this build has no
// adapter for.
var ErrUnsupportedType = errors.New("this build of Rostra has no adapter for the platform type")

// Directory gives the adapter for a server, and the same one each time.
type Directory struct {
	registry Registry

	mu       sync.Mutex
	adapters map[serverKey]Platform
}

type serverKey struct{ kind, serverURL string }

// NewDirectory makes a directory of the platform types in the registry.
func NewDirectory(registry Registry) *Directory {
	return &Directory{registry: registry, adapters: map[serverKey]Platform{}}
}

// Get gives the adapter for a platform type's server. The error is
// ErrUnsupportedType, or says what is wrong with the URL.
func (d *Directory) Get(kind, serverURL string) (Platform, error) {
	factory, ok := d.registry[kind]
	if !ok {
		return nil, fmt.Errorf("%w %q", ErrUnsupportedType, kind)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	key := serverKey{kind: kind, serverURL: serverURL}
	if adapter, ok := d.adapters[key]; ok {
		return adapter, nil
	}
	adapter, err := factory(serverURL)
	if err != nil {
		return nil, err
	}
	d.adapters[key] = adapter
	return adapter, nil
}

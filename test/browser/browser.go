// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package browser drives a real headless Chromium, as a person with a keyboard
// would use it and as assistive technology sees it. It reaches nothing but
// 127.0.0.1.
package browser

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rostra-dev/rostra/test/oidc/node"
)

//go:embed install.sh driver/package.json driver/package-lock.json driver/driver.mjs
var embedded embed.FS

const (
	installLimit = 10 * time.Minute
	callLimit    = 60 * time.Second
)

// Browser is one that runs.
type Browser struct {
	program *node.Program
	dir     string

	mu   sync.Mutex
	last int
}

// Start installs Chromium and its driver where they are missing, which
// install.sh describes, and runs them. The error is node.ErrUnavailable where
// that cannot be done here. What they say goes to log, which may be nil.
func Start(ctx context.Context, log io.Writer) (*Browser, error) {
	ctx, cancel := context.WithTimeout(ctx, installLimit)
	defer cancel()
	dir, err := node.Unpack(fs.FS(embedded))
	if err != nil {
		return nil, err
	}
	b := &Browser{dir: dir}
	if err := b.run(ctx, log); err != nil {
		return nil, errors.Join(err, b.Stop())
	}
	return b, nil
}

func (b *Browser) run(ctx context.Context, log io.Writer) error {
	installed, err := node.Install(ctx, filepath.Join(b.dir, "install.sh"), log)
	if err != nil {
		return err
	}
	if len(installed) != 2 {
		return fmt.Errorf("install.sh printed %d lines in place of 2", len(installed))
	}
	driver := filepath.Join(b.dir, "driver", "driver.mjs")
	if b.program, err = node.Start(driver, installed, []string{"TMPDIR=" + b.dir}, log); err != nil {
		return err
	}
	var ready answer
	return b.program.Receive(ctx, &ready)
}

// Stop ends the browser and removes its profile.
func (b *Browser) Stop() error {
	var err error
	if b.program != nil {
		err = b.program.Stop()
	}
	return errors.Join(err, os.RemoveAll(b.dir))
}

type answer struct {
	ID     int    `json:"id"`
	Result any    `json:"result"`
	Error  string `json:"error"`
}

// call asks the driver and reads what it answers into result, a pointer or nil.
func (b *Browser) call(ctx context.Context, operation string, arguments map[string]any, result any) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	message := map[string]any{"id": b.last, "op": operation}
	maps.Copy(message, arguments)
	if err := b.program.Send(message); err != nil {
		return err
	}
	for {
		said := answer{Result: result}
		switch err := b.program.Receive(ctx, &said); {
		case err != nil:
			return err
		case said.ID != b.last: // of a call that was given up
		case said.Error != "":
			return fmt.Errorf("%s: %s", operation, said.Error)
		default:
			return nil
		}
	}
}

// Version of Chromium.
func (b *Browser) Version(ctx context.Context) (string, error) {
	var version string
	err := b.call(ctx, "version", nil, &version)
	return version, err
}

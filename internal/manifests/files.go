// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
)

// stdinPath stands for standard input.
const stdinPath = "-"

// reader goes through files.
type reader struct {
	scheme   *runtime.Scheme
	set      *Set
	stdin    io.Reader
	seen     map[string]bool // by absolute path, links followed
	files    int
	bytes    int64
	mistakes mistakes
}

// errStop ends a walk through folders.
var errStop = errors.New("stop")

// readPath reads a file, a folder, or standard input.
func (r *reader) readPath(path string) {
	if path == stdinPath {
		if !r.seen[stdinPath] {
			r.seen[stdinPath] = true
			_ = r.readFrom("standard input", r.stdin) // the mistake is noted
		}
		return
	}
	info, err := os.Stat(path)
	if err != nil {
		r.mistakes.add(describeFailure(path, err))
		return
	}
	if !info.IsDir() {
		_ = r.readFile(path) // the mistake is noted
		return
	}
	if followed, err := filepath.EvalSymlinks(path); err == nil {
		path = followed // the walk follows no links, not even the first
	}
	err = filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
		return r.visit(path, file, entry, err)
	})
	if err != nil && !errors.Is(err, errStop) {
		r.mistakes.add(err)
	}
}

// visit looks at what is in a folder. The error is for filepath.WalkDir.
func (r *reader) visit(root, file string, entry fs.DirEntry, err error) error {
	hidden := file != root && strings.HasPrefix(filepath.Base(file), ".")
	switch {
	case hidden && entry != nil && entry.IsDir():
		return fs.SkipDir
	case hidden:
		return nil
	case err != nil:
		r.mistakes.add(describeFailure(file, err))
		return nil
	case entry.IsDir() || !isManifest(file):
		return nil
	}
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		return nil // a link to a folder, a pipe
	}
	return r.readFile(file)
}

// isManifest tells by its name whether a file in a folder is read.
func isManifest(file string) bool {
	name := filepath.Base(file)
	extension := filepath.Ext(name)
	return slices.Contains([]string{".yaml", ".yml", ".json"}, extension) &&
		!strings.EqualFold(strings.TrimSuffix(name, extension), "kustomization")
}

// readFile reads a file once, however many of the paths lead to it. An error
// means that no more is to be read.
func (r *reader) readFile(path string) error {
	same := path
	if absolute, err := filepath.Abs(path); err == nil {
		same = absolute
	}
	if followed, err := filepath.EvalSymlinks(same); err == nil {
		same = followed
	}
	if r.seen[same] {
		return nil
	}
	r.seen[same] = true
	file, err := os.Open(path) //nolint:gosec // whoever runs the command names the files
	if err != nil {
		r.mistakes.add(describeFailure(path, err))
		return nil
	}
	defer func() { _ = file.Close() }() // it was only read
	return r.readFrom(path, file)
}

// readFrom reads a source up to the limits. An error means that no more is to
// be read.
func (r *reader) readFrom(name string, source io.Reader) error {
	r.files++
	if r.files > MaxFiles {
		r.mistakes.add(fmt.Errorf("there are more than %d files: give -f the folder that holds the manifests", MaxFiles))
		return errStop
	}
	data, err := io.ReadAll(io.LimitReader(source, MaxFileBytes+1))
	if err != nil {
		r.mistakes.add(describeFailure(name, err))
		return nil
	}
	if len(data) > MaxFileBytes {
		r.mistakes.add(fmt.Errorf("%s: the file is larger than %d MiB, which no manifest is: leave it out", name, MaxFileBytes>>20))
		return nil
	}
	r.bytes += int64(len(data))
	if r.bytes > MaxTotalBytes {
		r.mistakes.add(fmt.Errorf("the files are larger than %d MiB together: give -f the folder that holds the manifests", MaxTotalBytes>>20))
		return errStop
	}
	r.readDocuments(name, data)
	return nil
}

// describeFailure names the file once, in front.
func describeFailure(path string, err error) error {
	if failure, ok := errors.AsType[*fs.PathError](err); ok {
		err = failure.Err
	}
	return fmt.Errorf("%s: cannot be read: %w", path, err)
}

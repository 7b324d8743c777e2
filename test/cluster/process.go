// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"

	"github.com/rostra-dev/rostra/test/child"
)

// tailLimit is how much of a program's output an error quotes, in bytes.
const tailLimit = 4 << 10

// errAddressInUse says that a program ended because another one holds its port.
var errAddressInUse = errors.New("its port is taken by another program")

// process is a child of this program.
type process struct {
	name    string
	logPath string
	child   *child.Process
	stop    func()
}

// startProcess runs a program with dir as its working directory and its output in a file.
func startProcess(name, path string, args []string, dir, logPath string) (*process, error) {
	logFile, err := os.Create(logPath)
	if err != nil {
		return nil, fmt.Errorf("no log file for %s: %w", name, err)
	}
	defer logFile.Close()

	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = logFile, logFile
	started, err := child.Start(cmd, syscall.SIGKILL)
	if err != nil {
		return nil, fmt.Errorf("%s could not be run: %w", name, err)
	}
	p := &process{name: name, logPath: logPath, child: started}
	p.stop = sync.OnceFunc(func() {
		_ = cmd.Process.Kill() // fails only when the process has ended already
		<-started.Ended()
	})
	return p, nil
}

func (p *process) pid() int { return p.child.Cmd.Process.Pid }

// failure returns nil while the process runs, and then an error with the last lines of its output.
func (p *process) failure() error {
	select {
	case <-p.child.Ended():
	default:
		return nil
	}
	reason := p.child.Err()
	if reason == nil {
		reason = errors.New("it ended by itself")
	}
	said, err := lastLines(p.logPath)
	if err != nil {
		return fmt.Errorf("%s failed: %w (and its log is unreadable: %w)", p.name, reason, err)
	}
	if strings.Contains(said, "address already in use") {
		reason = errors.Join(errAddressInUse, reason)
	}
	return fmt.Errorf("%s failed: %w; it said last:\n%s", p.name, reason, said)
}

// lastLines returns the end of a file, from the start of a line.
func lastLines(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	from := max(0, info.Size()-tailLimit)
	end, err := io.ReadAll(io.NewSectionReader(file, from, tailLimit))
	if err != nil {
		return "", err
	}
	if from > 0 {
		_, end, _ = bytes.Cut(end, []byte("\n"))
	}
	return string(end), nil
}

// tail is a writer that keeps the last bytes written to it.
type tail struct {
	limit int
	kept  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if surplus := len(t.kept) - t.limit; surplus > 0 {
		t.kept = append(t.kept[:0], t.kept[surplus:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return string(t.kept) }

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
	"runtime"
	"strings"
	"sync"
)

// tailLimit is how much of a program's output an error quotes, in bytes.
const tailLimit = 4 << 10

// errAddressInUse says that a program ended because another one holds its port.
var errAddressInUse = errors.New("its port is taken by another program")

// process is a child of this program.
type process struct {
	name    string
	cmd     *exec.Cmd
	logPath string
	ended   chan struct{} // closed once waitErr is set
	waitErr error
	stop    func()
}

// startProcess runs a program with dir as its working directory and its output in a file.
func startProcess(name, path string, args []string, dir, logPath string) (*process, error) {
	logFile, err := os.Create(logPath)
	if err != nil {
		return nil, fmt.Errorf("no log file for %s: %w", name, err)
	}
	defer logFile.Close()

	p := &process{name: name, cmd: exec.Command(path, args...), logPath: logPath, ended: make(chan struct{})}
	p.cmd.Dir = dir
	p.cmd.Stdout = logFile
	p.cmd.Stderr = logFile
	p.cmd.SysProcAttr = childAttributes()
	p.stop = sync.OnceFunc(func() {
		_ = p.cmd.Process.Kill() // fails only when the process has ended already
		<-p.ended
	})

	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("%s could not be run: %w", name, err)
	}
	return p, nil
}

// run starts the program and waits for its end. Linux ends the child together with the thread that started it, so this
// goroutine keeps that thread for itself for as long as the child lives.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.waitErr = p.cmd.Wait()
	close(p.ended)
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// failure returns nil while the process runs, and then an error with the last lines of its output.
func (p *process) failure() error {
	select {
	case <-p.ended:
	default:
		return nil
	}
	reason := p.waitErr
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

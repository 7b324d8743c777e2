// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package faults_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/test/child"
	"github.com/rostra-dev/rostra/test/faults/company"
)

// program is something that is started again and again, with one log.
type program struct {
	name string
	args []string
	log  string

	process *child.Process
	// stdout is what it printed in all its lives; read it when it has ended.
	stdout bytes.Buffer
	// kills are when it was killed.
	kills []time.Time
	// stdin is held open: a worker whose starter is gone ends.
	stdin *os.File
}

// newProgram makes a program that does not run yet. It is killed at the end of
// the spec, whose report gets the end of its log where the spec fails.
func newProgram(name string, args ...string) *program {
	GinkgoHelper()
	p := &program{name: name, args: args, log: filepath.Join(GinkgoT().TempDir(), name+".log")}
	DeferCleanup(func() {
		p.kill()
		if CurrentSpecReport().Failed() {
			AddReportEntry("the log of "+name, p.tail())
		}
	})
	return p
}

func (p *program) start() {
	GinkgoHelper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	Expect(err).NotTo(HaveOccurred())
	defer log.Close()
	reader, writer, err := os.Pipe()
	Expect(err).NotTo(HaveOccurred())
	defer reader.Close()
	p.stdin = writer
	cmd := exec.Command(p.args[0], p.args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = reader, &p.stdout, log
	p.process, err = child.Start(cmd, syscall.SIGKILL)
	Expect(err).NotTo(HaveOccurred())
}

// kill is kill -9. It returns when the program is gone.
func (p *program) kill() {
	if p.process == nil {
		return
	}
	p.kills = append(p.kills, time.Now())
	_ = p.process.Cmd.Process.Kill() // fails only when it has ended already
	_ = p.stdin.Close()              // what it started ends as well
	<-p.process.Ended()
	p.process = nil
}

// ended is an error where the program has ended by itself.
func (p *program) ended() error {
	select {
	case <-p.process.Ended():
		return fmt.Errorf("%w: %s: %w\n%s", errEnded, p.name, p.process.Err(), p.tail())
	default:
		return nil
	}
}

// alive gives up the Eventually that it is called in where the program has ended
// by itself.
func (p *program) alive() {
	if err := p.ended(); err != nil {
		StopTrying(err.Error()).Now()
	}
}

// tail gives the end of the log.
func (p *program) tail() string {
	const limit = 6000
	content, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(content[max(0, len(content)-limit):])
}

// said gives all that it logged.
func (p *program) said() string {
	GinkgoHelper()
	content, err := os.ReadFile(p.log)
	Expect(err).NotTo(HaveOccurred())
	return string(content)
}

// worker is a process under test.
type worker struct {
	*program
	gateway, status string
	// arguments of the store alone, for the audit.
	store []string
	pages int
	// restarts are how long it took, each time, until events were accepted and
	// turns taken.
	restarts []time.Duration
}

// newWorker makes a worker on a store.
func newWorker(ctx context.Context, name string, truth *truth, pages int, waits []time.Duration, store ...string) *worker {
	GinkgoHelper()
	w := &worker{gateway: freeAddress(ctx), status: freeAddress(ctx), store: store, pages: pages}
	args := append([]string{
		programs.worker, "-name", name, "-gateway", w.gateway, "-status", w.status, "-notify", truth.url(), "-pages", strconv.Itoa(pages),
	}, store...)
	for _, wait := range waits {
		args = append(args, "-wait", wait.String())
	}
	w.program = newProgram(name, args...)
	return w
}

// run starts the worker and waits until it does all that it is for.
func (w *worker) run(ctx context.Context) {
	GinkgoHelper()
	begun := time.Now()
	w.start()
	w.untilWell(ctx)
	w.restarts = append(w.restarts, time.Since(begun))
}

func (w *worker) untilWell(ctx context.Context) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		w.alive()
		status, err := w.ask(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(status.Ready).To(BeEmpty())
		g.Expect(status.Synced).To(BeTrue())
		g.Expect(get(ctx, "http://"+w.gateway+"/healthz")).To(Equal("ok"))
	}).Should(Succeed())
}

// ask asks the worker how it is.
func (w *worker) ask(ctx context.Context) (company.Status, error) {
	var status company.Status
	body, err := get(ctx, "http://"+w.status)
	if err != nil {
		return status, err
	}
	err = json.Unmarshal([]byte(body), &status)
	return status, err
}

// stored lists the events in the store, as often as they are there. No other
// process may have the folder open, if it is one.
func (w *worker) stored() []string {
	GinkgoHelper()
	p := newProgram(w.name+"-audit", append([]string{programs.worker, "-audit", "-pages", strconv.Itoa(w.pages)}, w.store...)...)
	p.start()
	defer p.kill()
	Eventually(p.process.Ended()).WithTimeout(2 * time.Minute).Should(BeClosed())
	Expect(p.process.Err()).To(Succeed(), p.tail())
	return strings.Fields(p.stdout.String())
}

var (
	errStatus = errors.New("not the status that was hoped for")
	errEnded  = errors.New("a program ended by itself")
)

// get reads a small page.
func get(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	answer, err := fresh.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(http.MaxBytesReader(nil, answer.Body, 1<<20)); err != nil {
		return "", err
	}
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%w: %d", errStatus, answer.StatusCode)
	}
	return body.String(), nil
}

// fresh is a client that keeps no connection to what is killed.
var fresh = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

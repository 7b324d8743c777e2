// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/nats-io/nats-server/v2/server"
)

const (
	// account is the one in which an embedded server without configured users
	// keeps everything.
	account = server.DEFAULT_GLOBAL_ACCOUNT
	// startTimeout bounds the start of the embedded server. Reading a store of
	// the default size takes seconds.
	startTimeout = 2 * time.Minute
	// roomOnDisk is what the server may use as a whole: more than there is. Each
	// stream has its own limit; one for all of them, set before the tables and
	// outboxes are known, would only keep the last of them from being made.
	roomOnDisk = 1 << 50
	// diskFull is the room on the disk, in bytes, below which what cannot be read
	// is not taken for damaged: to open a store takes some.
	diskFull = 1 << 20
	// roomAgain is the room on the disk from which a restart is worth while after
	// there was none.
	roomAgain = 64 << 20
)

// embedded is a NATS server in this process.
type embedded struct {
	server *server.Server
	lock   *os.File
	dir    string
}

// startEmbedded takes the folder and starts a server on it that listens on
// nothing and calls fsync for every write.
func startEmbedded(o Options) (_ *embedded, err error) {
	dir := filepath.Join(o.Dir, "nats")
	defer func() {
		if err != nil {
			err = fmt.Errorf("opening the inbox in %s: %w", o.Dir, err)
		}
	}()
	if err := ownFolder(o.Dir, dir); err != nil {
		return nil, err
	}
	lockFile, err := lock(dir)
	if err != nil {
		return nil, err
	}
	e := &embedded{lock: lockFile, dir: dir}
	had, err := e.hasStream(streamName)
	if err != nil {
		e.stop()
		return nil, err
	}
	if err := e.start(o); err != nil {
		e.stop()
		if e.isDiskFull() {
			err = fmt.Errorf("%w: %w", e.errFull(), err)
		}
		return nil, err
	}
	if err := e.health(streamName); had && err != nil {
		e.stop()
		return nil, e.unreadable(err)
	}
	return e, nil
}

// ownFolder makes the store's folder, readable by this user alone. The folder
// around it may be a mount that belongs to somebody else.
func ownFolder(parent, dir string) error {
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if open := info.Mode().Perm() & 0o077; open != 0 {
		return os.Chmod(dir, info.Mode().Perm()&^open)
	}
	return nil
}

// unreadable says what to do about a stream that cannot be read at all. With no
// room on the disk that is no damage.
func (e *embedded) unreadable(err error) error {
	switch {
	case errors.Is(err, ErrFull):
		return err
	case e.isDiskFull():
		return fmt.Errorf("%w: %w", e.errFull(), err)
	}
	return fmt.Errorf("%w; the store is damaged: put a copy of it back, or move it away to begin anew without what it holds", err)
}

// hasStream tells whether the store holds a stream of an earlier run.
func (e *embedded) hasStream(stream string) (bool, error) {
	_, err := os.Stat(filepath.Join(e.dir, server.JetStreamStoreDir, account, "streams", stream))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (e *embedded) start(o Options) error {
	var err error
	e.server, err = server.NewServer(&server.Options{
		ServerName: "rostra",
		DontListen: true,
		NoSigs:     true,
		NoLog:      true, // before the logger is set

		JetStream:  true,
		StoreDir:   e.dir,
		SyncAlways: true,
		// Nothing is kept in memory alone. Zero would mean three quarters of the
		// machine's memory, so it is one byte.
		JetStreamMaxMemory: 1,
		JetStreamMaxStore:  roomOnDisk,
	})
	if err != nil {
		return err
	}
	e.server.SetLoggerV2(natsLogger{o.Logger.WithName("nats").V(1)}, false, false, false)
	e.server.Start()
	if !e.server.ReadyForConnections(startTimeout) {
		return fmt.Errorf("the embedded NATS server did not start within %s; its words are in the log at debug level", startTimeout)
	}
	if !e.server.JetStreamEnabled() {
		return errors.New("the embedded NATS server could not use the folder; check that it can be written, NATS's words are in the log at debug level")
	}
	return nil
}

// health of a stream's store. After a failed write it is an error until the
// server is started again.
func (e *embedded) health(stream string) error {
	status := e.ask(stream)
	if status.StatusCode == http.StatusOK {
		return nil
	}
	if saysDiskFull(status.Error) {
		return e.errFull()
	}
	return fmt.Errorf("%w: %s (store in %s): check the disk and restart", ErrUnavailable, status.Error, e.dir)
}

func (e *embedded) errFull() error {
	return fmt.Errorf("%w: the disk under %s is full: make room and restart", ErrFull, e.dir)
}

// isDiskFull tells whether there is hardly any room on the disk.
func (e *embedded) isDiskFull() bool {
	room, known := roomUnder(e.dir)
	return known && room < diskFull
}

// hasRoomAgain tells whether there is room on a disk that was full.
func (e *embedded) hasRoomAgain() bool {
	room, known := roomUnder(e.dir)
	return known && room >= roomAgain
}

// healthTries is how often the server is asked that says it has not started.
const healthTries = 3

// ask asks the server for a stream's health. It asks itself, with a patience of one
// millisecond, whether it has started, which a busy machine can be late for.
func (e *embedded) ask(stream string) *server.HealthStatus {
	var status *server.HealthStatus
	for range healthTries {
		status = e.server.Healthz(&server.HealthzOptions{Account: account, Stream: stream})
		if !strings.Contains(status.Error, "ready for connections") {
			break
		}
	}
	return status
}

// stop ends the server and gives the folder free.
func (e *embedded) stop() {
	if e.server != nil {
		e.server.Shutdown()
		e.server.WaitForShutdown()
	}
	// Closing the file gives the lock free; nothing was written to it.
	_ = e.lock.Close()
}

// natsLogger passes NATS's words on at debug level. Tracing, which would show
// payloads, is not enabled, and dropped here in any case.
type natsLogger struct {
	log logr.Logger
}

func (l natsLogger) Noticef(format string, v ...any) { l.say("notice", format, v) }
func (l natsLogger) Warnf(format string, v ...any)   { l.say("warning", format, v) }
func (l natsLogger) Errorf(format string, v ...any)  { l.say("error", format, v) }
func (l natsLogger) Fatalf(format string, v ...any)  { l.say("fatal", format, v) }
func (l natsLogger) Debugf(format string, v ...any)  { l.say("debug", format, v) }
func (natsLogger) Tracef(string, ...any)             {}

func (l natsLogger) say(level, format string, v []any) {
	if l.log.Enabled() {
		l.log.Info(strings.TrimSpace(fmt.Sprintf(format, v...)), "natsLevel", level)
	}
}

// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	streamName = "ROSTRA_EVENTS"
	// requestTimeout bounds every question to the server, and so how long Put
	// waits for a server that has gone away.
	requestTimeout = 4 * time.Second
	// reconnectWait is the pause between attempts to reach a cluster again.
	reconnectWait = 500 * time.Millisecond
)

// Inbox keeps events durably. Its methods may be called concurrently.
type Inbox struct {
	log            logr.Logger
	metrics        *metrics
	embedded       *embedded // nil on a cluster
	conn           *nats.Conn
	js             jetstream.JetStream
	stream         jetstream.Stream
	replicas       int
	maxAge, window time.Duration

	waiting chan *request
	// events stores what waits.
	events *publisher

	// closing ends consumers and the committer; committed is when the latter has
	// ended.
	closing, committed chan struct{}
	close              func() error
	// consumers running, and whatever else Close waits for. The lock keeps one from
	// starting meanwhile. Only when they have ended, which idle tells, do the
	// committers, for whom they store.
	consumers, committers sync.WaitGroup
	mu                    sync.Mutex
	idle                  chan struct{}
	// others are the names of streams beside that of events.
	others []string
	// tight says that the events are at their limit.
	tight chan struct{}
	// reclaimed are the consumers whose messages in hand were taken back, or were
	// this process's from the start.
	reclaimed map[string]bool
}

// Open starts the embedded server, or connects to the cluster, and makes the
// stream of events where it is missing. It returns when events may be put.
// A store in use by another process, or damaged beyond reading, is an error.
func Open(ctx context.Context, options Options) (*Inbox, error) {
	options, err := options.complete()
	if err != nil {
		return nil, err
	}
	i := &Inbox{
		log:       options.Logger,
		replicas:  options.Replicas,
		maxAge:    options.MaxAge,
		window:    options.DuplicateWindow,
		waiting:   make(chan *request, maxGroup),
		closing:   make(chan struct{}),
		committed: make(chan struct{}),
		idle:      make(chan struct{}),
		tight:     make(chan struct{}, 1),
		reclaimed: map[string]bool{},
	}
	if i.metrics, err = newMetrics(options.Registerer); err != nil {
		return nil, fmt.Errorf("registering the inbox's metrics: %w", err)
	}
	if options.Dir != "" {
		if i.embedded, err = startEmbedded(options); err != nil {
			return nil, err
		}
	}
	if err := i.connect(ctx, options); err != nil {
		i.disconnect()
		return nil, err
	}
	i.close = sync.OnceValue(i.shutDown)
	go i.commitGroups(context.WithoutCancel(ctx)) // Close ends it, not Open's context
	if err := i.startTrimming(ctx, options.MaxBytes); err != nil {
		return nil, errors.Join(err, i.Close())
	}
	return i, nil
}

// connect reaches the server and brings the stream into its form.
func (i *Inbox) connect(ctx context.Context, o Options) error {
	options := []nats.Option{
		nats.Name("rostra"),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait),
		// What is published while the connection is away fails at once.
		nats.ReconnectBufSize(-1),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			i.log.V(1).Info("NATS connection", "problem", err.Error())
		}),
	}
	if i.embedded != nil {
		options = append(options, nats.InProcessServer(i.embedded.server))
	} else {
		options = append(options,
			nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
				if err != nil {
					i.log.Info("lost the connection to NATS; events are refused until it is back", "cause", err.Error())
				}
			}),
			nats.ReconnectHandler(func(*nats.Conn) { i.log.Info("connected to NATS again") }),
		)
	}
	if o.CredentialsFile != "" {
		if _, err := os.Stat(o.CredentialsFile); err != nil {
			return fmt.Errorf("the inbox's NATS credentials: %w", err)
		}
		options = append(options, nats.UserCredentials(o.CredentialsFile))
	}
	var err error
	if i.conn, err = nats.Connect(o.URL, options...); err != nil {
		return fmt.Errorf("%w: connecting to NATS: %w", ErrUnavailable, err)
	}
	i.js, err = jetstream.New(i.conn,
		jetstream.WithDefaultTimeout(requestTimeout),
		jetstream.WithPublishAsyncTimeout(requestTimeout),
		jetstream.WithPublishAsyncMaxPending(2*maxGroup),
	)
	if err != nil {
		return fmt.Errorf("preparing NATS JetStream: %w", err)
	}
	return i.prepareStream(ctx, o)
}

// prepareStream makes the stream, or brings it to the options.
func (i *Inbox) prepareStream(ctx context.Context, o Options) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	var err error
	i.stream, err = i.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name:               streamName,
		Description:        "Events of social accounts, kept by Rostra",
		Subjects:           []string{subjectPrefix + ".>"},
		Retention:          jetstream.LimitsPolicy,
		Discard:            jetstream.DiscardNew,
		Storage:            jetstream.FileStorage,
		MaxAge:             o.MaxAge,
		MaxBytes:           o.MaxBytes,
		MaxMsgSize:         maxEncoded + maxHeader,
		Duplicates:         o.DuplicateWindow,
		Replicas:           o.Replicas,
		AllowAtomicPublish: true,
	})
	if err != nil {
		return fmt.Errorf("preparing the stream %s: %w", streamName, troubled(err))
	}
	i.events = i.newPublisher(i.stream)
	return i.reportDamage(ctx, streamName)
}

// openStream makes a stream beside that of events, or brings it to the
// configuration.
func (i *Inbox) openStream(ctx context.Context, config jetstream.StreamConfig) (jetstream.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if i.closed() {
		return nil, errClosed()
	}
	if i.embedded != nil {
		// One that cannot be read must not be made anew.
		if had, err := i.embedded.hasStream(config.Name); err != nil {
			return nil, err
		} else if err := i.healthOf(config.Name); had && err != nil {
			return nil, i.embedded.unreadable(err)
		}
	}
	config.Replicas = i.replicas
	config.Storage = jetstream.FileStorage
	config.Discard = jetstream.DiscardNew
	config.AllowAtomicPublish = true
	stream, err := i.js.CreateOrUpdateStream(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("preparing the stream %s: %w", config.Name, troubled(err))
	}
	if err := i.reportDamage(ctx, config.Name); err != nil {
		return nil, err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if !slices.Contains(i.others, config.Name) {
		i.others = append(i.others, config.Name)
	}
	return stream, nil
}

// reportDamage says aloud what the server could not read of a stream's store
// when it started.
func (i *Inbox) reportDamage(ctx context.Context, stream string) error {
	reply, err := i.conn.RequestWithContext(ctx, "$JS.API.STREAM.INFO."+stream, nil)
	if err != nil {
		return fmt.Errorf("%w: asking for the state of the stream %s: %w", ErrUnavailable, stream, err)
	}
	var answer struct {
		State struct {
			Lost struct {
				Messages []uint64 `json:"msgs"`
				Bytes    uint64   `json:"bytes"`
			} `json:"lost"`
		} `json:"state"`
	}
	if err := json.Unmarshal(reply.Data, &answer); err != nil {
		return fmt.Errorf("%w: reading the state of the stream %s: %w", ErrUnavailable, stream, err)
	}
	if lost := answer.State.Lost; len(lost.Messages) > 0 || lost.Bytes > 0 {
		i.log.Error(nil, "the store is damaged: some messages could not be read and are lost; what was being written when the machine stopped counts too",
			"stream", stream, "messages", len(lost.Messages), "bytes", lost.Bytes)
	}
	return nil
}

// Ready tells whether events, rows and letters can be stored: nil, or an error that wraps
// ErrUnavailable or ErrFull (a full disk; not MaxBytes, which a restart would
// not help).
func (i *Inbox) Ready() error {
	switch {
	case i.closed():
		return errClosed()
	case !i.conn.IsConnected():
		return fmt.Errorf("%w: there is no connection to NATS", ErrUnavailable)
	default:
		return i.healthOfAll()
	}
}

// Stuck tells what a restart of this process would mend: an embedded store that
// refuses to write since a write failed, also where that was for want of room on
// the disk and there is room again. Nil where there is no such thing; a disk that
// is full still, and a cluster that is away, are none.
func (i *Inbox) Stuck() error {
	err := i.healthOfAll()
	if errors.Is(err, ErrFull) && !i.embedded.hasRoomAgain() {
		return nil
	}
	return err
}

// healthOf an embedded stream; a cluster minds its own.
func (i *Inbox) healthOf(stream string) error {
	if i.embedded == nil {
		return nil
	}
	return i.embedded.health(stream)
}

// healthOfAll streams, of which the first that is ill is told.
func (i *Inbox) healthOfAll() error {
	i.mu.Lock()
	streams := append([]string{streamName}, i.others...)
	i.mu.Unlock()
	for _, stream := range streams {
		if err := i.healthOf(stream); err != nil {
			return err
		}
	}
	return nil
}

// Close ends consumers and refuses events, waits for what is being stored and
// for handlers, whose context ends, and gives the folder free.
func (i *Inbox) Close() error {
	return i.close()
}

func (i *Inbox) shutDown() error {
	i.mu.Lock()
	close(i.closing)
	i.mu.Unlock()
	i.consumers.Wait()
	close(i.idle)
	i.committers.Wait()
	<-i.committed
	// Acknowledgements of the last events handled are on their way. Without
	// them the events come again, which handlers bear.
	err := i.conn.FlushTimeout(requestTimeout)
	if errors.Is(err, nats.ErrConnectionReconnecting) || errors.Is(err, nats.ErrConnectionClosed) || !i.conn.IsConnected() {
		err = nil
	}
	i.disconnect()
	if err != nil {
		return fmt.Errorf("closing the inbox: the last acknowledgements did not reach NATS: %w", err)
	}
	return nil
}

// closed tells whether Close was called.
func (i *Inbox) closed() bool {
	select {
	case <-i.closing:
		return true
	default:
		return false
	}
}

func errClosed() error {
	return fmt.Errorf("%w: it is closed", ErrUnavailable)
}

// disconnect ends what connect and startEmbedded began.
func (i *Inbox) disconnect() {
	if i.js != nil {
		i.js.CleanupPublisher()
	}
	if i.conn != nil {
		i.conn.Close()
	}
	if i.embedded != nil {
		i.embedded.stop()
	}
}

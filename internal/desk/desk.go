// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/hook"
	"github.com/rostra-dev/rostra/internal/ledger"
)

const (
	// Path of the list of conversations.
	Path = "/v1/conversations"
	// MinPrefix is how much of an ID must be given at least.
	MinPrefix = 4
	// MaxBy bounds the name of who acknowledges, in characters.
	MaxBy = 128

	// defaultLimit and maxLimit are how many conversations a list has.
	defaultLimit, maxLimit = 100, 1000
	// readers is how many conversations of a list are read side by side.
	readers = 16
	// maxBody bounds the body of a request, in bytes.
	maxBody = 4 << 10
	// workLimit bounds what is done for one request.
	workLimit = 10 * time.Second
	// retryAfter is what whoever comes too early is asked to wait, in seconds.
	retryAfter = "2"
)

// Ledger holds the conversations; *ledger.Ledger is one. It is safe for
// concurrent use. An error that is neither ledger.ErrUnknown nor ledger.ErrOver
// says that it is out of order for now.
type Ledger interface {
	// Synced tells whether List and Find know all that there is.
	Synced() bool
	// List gives those that a filter lets through, oldest first.
	List(filter ledger.Filter) []ledger.Summary
	// Find gives the IDs that begin so; an error where that is too many.
	Find(prefix string) ([]string, error)
	// Get gives a conversation, or ledger.ErrUnknown.
	Get(ctx context.Context, id string) (*conversation.Conversation, error)
	// Acknowledge notes that somebody has a conversation, in whichever episode
	// where that is 0. Where it waits for nobody, the conversation is given
	// beside ledger.ErrOver.
	Acknowledge(ctx context.Context, id string, episode int, by string) (*conversation.Conversation, error)
}

// Options of the handler. All but Logger are required.
type Options struct {
	// Ledger of the conversations.
	Ledger Ledger
	// Clock to go by.
	Clock clock.PassiveClock
	// Logger of what was acknowledged.
	Logger logr.Logger
}

type desk struct{ options Options }

// New makes the handler. Serve it with NewServer: it asks nobody who they are.
func New(options Options) (http.Handler, error) {
	if options.Ledger == nil || options.Clock == nil {
		return nil, errors.New("the desk needs the ledger of conversations and a clock")
	}
	d := &desk{options}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path, d.list)
	mux.HandleFunc("POST "+Path+"/{id}/acknowledge", d.acknowledge)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("X-Content-Type-Options", "nosniff")
		if problem := stranger(r); problem != "" {
			refuse(w, http.StatusForbidden, problem)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), workLimit)
		defer cancel()
		mux.ServeHTTP(w, r.WithContext(ctx))
	}), nil
}

// stranger says why a request is from nobody who forwards a port; empty where it
// may be. A name that is not this machine's is one that somebody else has made
// point to it.
func stranger(r *http.Request) string {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if !hook.IsLoopback(strings.Trim(host, "[]")) {
		return "this is for requests to 127.0.0.1, ::1 or localhost"
	}
	for name := range r.Header {
		if name == "Origin" || name == "Referer" || strings.HasPrefix(name, "Sec-Fetch-") {
			return "this is not for browsers: use rostra inbox and rostra ack"
		}
	}
	return ""
}

// list answers what waits.
func (d *desk) list(w http.ResponseWriter, r *http.Request) {
	filter, limit, err := readQuery(r.URL.Query())
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	if !d.options.Ledger.Synced() {
		notSynced(w)
		return
	}
	found := waitingFirst(d.options.Ledger.List(filter))
	shown, err := d.read(r.Context(), found[:min(limit, len(found))])
	if err != nil {
		d.outOfOrder(w, err)
		return
	}
	answer := Conversations{At: d.options.Clock.Now().UTC(), Total: len(found), Conversations: []Conversation{}}
	for _, one := range shown {
		if one == nil || filter.Waiting && !one.State.Waits() { // it ended meanwhile
			answer.Total--
			continue
		}
		answer.Conversations = append(answer.Conversations, *one)
	}
	write(w, http.StatusOK, answer)
}

// waitingFirst puts those that wait before the others, each in the order in
// which they are: what is over must not hide them where a list is cut.
func waitingFirst(found []ledger.Summary) []ledger.Summary {
	waiting, over := make([]ledger.Summary, 0, len(found)), []ledger.Summary(nil)
	for _, one := range found {
		if one.State.Waits() {
			waiting = append(waiting, one)
		} else {
			over = append(over, one)
		}
	}
	return append(waiting, over...)
}

// read reads conversations to show, several side by side, as the table may be far
// away. They are in the same order; nil stands for one that is not there any
// more.
func (d *desk) read(ctx context.Context, found []ledger.Summary) ([]*Conversation, error) {
	shown := make([]*Conversation, len(found))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for place, one := range found {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err // another read failed, which is what is told, or time is up
			}
			c, err := d.options.Ledger.Get(ctx, one.ID)
			switch {
			case errors.Is(err, ledger.ErrUnknown):
				return nil
			case err != nil:
				return err
			}
			shown[place] = new(view(c))
			return nil
		})
	}
	err := group.Wait()
	return shown, err
}

// readQuery reads what a list is asked for.
func readQuery(query url.Values) (filter ledger.Filter, limit int, err error) {
	filter, limit = ledger.Filter{Waiting: true}, defaultLimit
	for name, values := range query {
		value := values[0]
		switch {
		case len(values) > 1:
			return filter, 0, fmt.Errorf("%s is given twice", name)
		case name == "channel":
			namespace, channel, found := strings.Cut(value, "/")
			if !found || namespace == "" || channel == "" {
				return filter, 0, errors.New("channel: write namespace/name")
			}
			filter.Channel = value
		case name == "state" && (value == "waiting" || value == "all"):
			filter.Waiting = value == "waiting"
		case name == "state":
			return filter, 0, errors.New("state: write waiting or all")
		case name == "limit":
			limit, err = strconv.Atoi(value)
			if err != nil || limit < 1 || limit > maxLimit {
				return filter, 0, fmt.Errorf("limit: write a number from 1 to %d", maxLimit)
			}
		default:
			return filter, 0, errors.New("what can be asked for is channel, state and limit")
		}
	}
	return filter, limit, nil
}

// acknowledge notes that somebody has a conversation.
func (d *desk) acknowledge(w http.ResponseWriter, r *http.Request) {
	by, err := readBy(w, r)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	id, ok := d.find(w, r.PathValue("id"))
	if !ok {
		return
	}
	c, err := d.options.Ledger.Acknowledge(r.Context(), id, 0, by)
	switch {
	case errors.Is(err, ledger.ErrUnknown):
		refuse(w, http.StatusNotFound, err.Error())
	case errors.Is(err, ledger.ErrOver) && c != nil:
		write(w, http.StatusConflict, Refusal{Problem: overWords(c), Conversation: new(view(c))})
	case err != nil:
		d.outOfOrder(w, err)
	default:
		d.options.Logger.Info("Somebody has a conversation, by the command line", "conversation", c.ID, "channel", c.Channel, "episode", c.Episode, "by", by)
		write(w, http.StatusOK, view(c))
	}
}

// readBy reads who acknowledges.
func readBy(w http.ResponseWriter, r *http.Request) (string, error) {
	// A page of another site can send no JSON without being asked for leave.
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return "", errors.New("send JSON, and say so: Content-Type: application/json")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return "", fmt.Errorf("the body cannot be read: it has more than %d bytes, or broke off", maxBody)
	}
	asked := Acknowledgement{}
	if err := json.Unmarshal(body, &asked); err != nil {
		return "", errors.New(`the body cannot be read: send {"by": "NAME"}`)
	}
	asked.By = strings.TrimSpace(asked.By)
	switch {
	case asked.By == "":
		return "", errors.New("say who has it: by is empty")
	case utf8.RuneCountInString(asked.By) > MaxBy:
		return "", fmt.Errorf("by has more than %d characters", MaxBy)
	case strings.ContainsFunc(asked.By, func(r rune) bool { return r == utf8.RuneError || !unicode.IsGraphic(r) }):
		return "", errors.New("by has characters that cannot be shown")
	}
	return asked.By, nil
}

// find gives the ID that begins so. Where there is none, or several, it answers.
func (d *desk) find(w http.ResponseWriter, prefix string) (id string, ok bool) {
	prefix = strings.ToLower(prefix)
	if len(prefix) < MinPrefix {
		refuse(w, http.StatusBadRequest, fmt.Sprintf("write at least %d characters of the ID", MinPrefix))
		return "", false
	}
	if !d.options.Ledger.Synced() {
		notSynced(w)
		return "", false
	}
	found, err := d.options.Ledger.Find(prefix)
	switch {
	case err != nil:
		refuse(w, http.StatusBadRequest, err.Error())
	case len(found) == 0:
		refuse(w, http.StatusNotFound, "no conversation has an ID that begins so, or it is over for more than a week")
	case len(found) > 1:
		refuse(w, http.StatusBadRequest, "several conversations have IDs that begin so, write more of it: "+strings.Join(found, ", "))
	default:
		return found[0], true
	}
	return "", false
}

func notSynced(w http.ResponseWriter) {
	w.Header().Set("Retry-After", retryAfter)
	refuse(w, http.StatusServiceUnavailable, "the operator has just started and does not know all conversations yet; try again in a moment")
}

// outOfOrder says that the ledger does not answer. Whoever may ask here may read
// why.
func (d *desk) outOfOrder(w http.ResponseWriter, err error) {
	w.Header().Set("Retry-After", retryAfter)
	refuse(w, http.StatusServiceUnavailable, "the inbox does not answer: "+err.Error())
}

func refuse(w http.ResponseWriter, status int, problem string) {
	write(w, status, Refusal{Problem: problem})
}

func write(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil { // of texts and times that a ledger had as JSON
		http.Error(w, "The answer cannot be written.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

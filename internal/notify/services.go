// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/discord"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/mattermost"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/rocketchat"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/push/gotify"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/push/ntfy"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/push/pushover"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"github.com/rostra-dev/rostra/internal/httpx"
)

// maxOutgoing is the largest request that a service of the library may make, in
// bytes; what we give it is a few kilobytes.
const maxOutgoing = 256 << 10

// build makes a service of the library from its URL and makes it use the client
// given, and nothing else, to reach the network.
type build func(u *url.URL, client *http.Client) (types.Sender, error)

// services are those of github.com/nicholas-fedor/shoutrrr that can be given an
// HTTP client, so that their calls go through internal/httpx.
func services() map[string]build {
	return map[string]build{
		discord.Scheme: func(u *url.URL, client *http.Client) (types.Sender, error) {
			s := &discord.Service{}
			err := s.Initialize(u, nil)
			s.HTTPClient = client
			return s, err
		},
		gotify.Scheme: func(u *url.URL, client *http.Client) (types.Sender, error) {
			s := &gotify.Service{}
			if err := s.Initialize(u, nil); err != nil {
				return nil, err
			}
			*s.GetHTTPClient() = *client
			return s, nil
		},
		mattermost.Scheme: func(u *url.URL, client *http.Client) (types.Sender, error) {
			s := &mattermost.Service{}
			if err := s.Initialize(u, nil); err != nil {
				return nil, err
			}
			*s.GetHTTPClient() = *client
			return s, nil
		},
		ntfy.Scheme: func(u *url.URL, client *http.Client) (types.Sender, error) {
			s := &ntfy.Service{}
			err := s.Initialize(u, nil)
			s.SetHTTPClient(client)
			return s, err
		},
		pushover.Scheme: func(u *url.URL, client *http.Client) (types.Sender, error) {
			s := &pushover.Service{}
			err := s.Initialize(u, nil)
			s.Client = client
			return s, err
		},
		rocketchat.Scheme: func(u *url.URL, client *http.Client) (types.Sender, error) {
			s := &rocketchat.Service{Client: client}
			err := s.Initialize(u, nil)
			return s, err
		},
	}
}

// refusedSchemes are those that the library knows and that are not allowed, with
// what to write instead: they dial by themselves, past the egress rules, mostly
// without a time limit.
func refusedSchemes() map[string]string {
	const dials = "its library dials by itself, past the egress rules; send a signed webhook (https://) to a relay of your own"
	refused := map[string]string{
		"slack":   "write the URL of an incoming webhook, slack+https://",
		"generic": "write https://",
		"logger":  "it tells nobody",
		"mailto":  "write smtp:// with the mail server",
	}
	for _, scheme := range []string{
		"bark", "googlechat", "hangouts", "ifttt", "join", "lark", "matrix", "notifiarr", "opsgenie", "pushbullet", "signal", "teams",
		"wecom", "zulip",
	} {
		refused[scheme] = dials
	}
	return refused
}

// service tells by a service of the library. The library's errors quote URLs,
// tokens and answers, so none is passed on: what happened is what the transport
// saw.
type service struct {
	opener *Opener
	scheme string
	url    url.URL
	build  build
}

func (o *Opener) openService(p parsed, builder build) (way, error) {
	s := &service{opener: o, scheme: p.url.Scheme, url: *p.url, build: builder}
	if _, err := s.sender(&http.Client{Transport: &outlet{}}); err != nil {
		return nil, errors.New("the address of " + s.scheme + " is not complete, or has an option that the service does not know: see the documentation")
	}
	return s, nil
}

func (s *service) name() string { return s.scheme }

// sender makes the library's service anew for each telling: it is not safe for
// use by many goroutines, and changes the URL that it is given.
func (s *service) sender(client *http.Client) (types.Sender, error) {
	target := s.url
	return s.build(&target, client)
}

func (s *service) tell(ctx context.Context, m Message) *Failure {
	through := &outlet{ctx: ctx, http: s.opener.options.HTTP, account: s.opener.account}
	sender, err := s.sender(&http.Client{Transport: through})
	if err != nil {
		return refused("the address is not complete")
	}
	err = sender.Send(s.text(m), s.params(m))
	now := s.opener.options.Clock.Now()
	switch {
	case through.err != nil:
		return fromTransport(through.err, now)
	case through.refusal != nil:
		return fromStatus(through.host, through.refusal, now, "")
	case err == nil && through.taken > 0:
		return nil
	case through.taken > 0:
		return &Failure{MaybeTold: true, reason: through.host + " answered something other than the service does"}
	}
	return refused("the address or the message is not what the service takes, so nothing was sent")
}

// text is the message as the service shows it. Three of them read Markdown and
// mentions in what a stranger wrote, and two of those have no title.
func (s *service) text(m Message) string {
	text := description(m)
	switch s.scheme {
	case discord.Scheme:
		text = inert(text)
	case mattermost.Scheme, rocketchat.Scheme:
		text = inert(m.Title + "\n\n" + text)
	}
	if m.Link != "" {
		text += "\n\nThe post: " + m.Link
	}
	if m.Acknowledge != "" {
		text += "\n\nI have it: " + m.Acknowledge
	}
	return strings.TrimSpace(text)
}

// params are what the service calls title, importance and click. Only those that
// it knows are given.
func (s *service) params(m Message) *types.Params {
	p := types.Params{}
	high := m.Urgency == High
	switch s.scheme {
	case discord.Scheme:
		p["title"], p["splitLines"] = inert(m.Title), "no"
	case ntfy.Scheme:
		p["title"], p["priority"] = m.Title, "default"
		if high {
			p["priority"] = "max"
		}
		if m.Link != "" {
			p["click"] = m.Link
		}
	case gotify.Scheme:
		p["title"], p["priority"] = m.Title, "3"
		if high {
			p["priority"] = "8"
		}
	case pushover.Scheme:
		p["title"], p["priority"] = m.Title, "-1"
		if high {
			p["priority"] = "1"
		}
	}
	return &p
}

// outlet is the http.RoundTripper that the library is given: one telling's way
// through internal/httpx. It remembers what happened, and lets nothing but
// success reach the library, which would otherwise wait and try again by itself.
type outlet struct {
	ctx     context.Context //nolint:containedctx // one telling's, with which this value ends
	http    *httpx.Client
	account string

	taken   int             // requests that were answered with 2xx
	host    string          // of the last request
	refusal *httpx.Response // the first answer that was not 2xx
	err     error           // the first error, an *httpx.Error
}

var errOutlet = errors.New("the request failed")

// RoundTrip sends the request by httpx.
func (o *outlet) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		read, err := io.ReadAll(io.LimitReader(req.Body, maxOutgoing))
		if err := errors.Join(err, req.Body.Close()); err != nil {
			return nil, errOutlet
		}
		body = read
	}
	o.host = req.URL.Host
	header := req.Header.Clone()
	header.Del("User-Agent") // ours says who calls
	resp, err := o.http.Do(o.ctx, httpx.Request{
		Account: o.account, Method: req.Method, URL: req.URL.String(), Header: header, Body: body, MaxBody: maxAnswer,
	})
	switch {
	case err != nil:
		o.err = firstError(o.err, err)
		return nil, errOutlet
	case resp.Status < http.StatusOK || resp.Status >= http.StatusMultipleChoices:
		if o.refusal == nil {
			o.refusal = resp
		}
		return nil, errOutlet
	}
	o.taken++
	return &http.Response{
		Status: strconv.Itoa(resp.Status) + " " + http.StatusText(resp.Status), StatusCode: resp.Status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: resp.Header, Body: io.NopCloser(bytes.NewReader(resp.Body)), ContentLength: int64(len(resp.Body)), Request: req,
	}, nil
}

func firstError(first, next error) error {
	if first != nil {
		return first
	}
	return next
}

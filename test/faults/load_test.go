// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package faults_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/time/rate"

	"github.com/rostra-dev/rostra/test/faults/company"
)

const (
	// senders deliver side by side.
	senders = 16
	// again is the pause before a delivery that failed is sent again.
	again = 25 * time.Millisecond
	// twiceEvery is how often a delivery that was accepted is sent once more, as
	// platforms do.
	twiceEvery = 10
)

// load is the platform's side: it sends until a delivery is accepted.
type load struct {
	gateways []string
	pages    int
	pace     *rate.Limiter
	client   *http.Client

	next atomic.Int64
	// limit is how many events there are; zero for no end.
	limit int64
	stop  context.CancelFunc
	done  sync.WaitGroup

	mu       sync.Mutex
	accepted []*sent
	// deliveries are all requests; answers count them by status, cut those
	// without any.
	deliveries, cut int
	answers         map[int]int
}

// sent is an event that the gateway said to have.
type sent struct {
	*company.Comment
	page company.Page
	at   time.Time
}

// startLoad begins to send so many events a second, to all gateways.
func startLoad(ctx context.Context, perSecond float64, limit, pages int, gateways ...string) *load {
	GinkgoHelper()
	l := &load{
		gateways: gateways, pages: pages, limit: int64(limit), pace: rate.NewLimiter(rate.Limit(perSecond), senders), answers: map[int]int{},
		client: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: senders}},
	}
	ctx, l.stop = context.WithCancel(ctx)
	for number := range senders {
		l.done.Go(func() { l.send(ctx, number) })
	}
	DeferCleanup(l.end)
	return l
}

// end stops sending, and waits for the answers that are on their way.
func (l *load) end() {
	l.stop()
	l.done.Wait()
	l.client.CloseIdleConnections()
}

// send sends events of its own, one after the other.
func (l *load) send(ctx context.Context, sender int) {
	defer GinkgoRecover()
	for l.pace.Wait(ctx) == nil {
		number := int(l.next.Add(1))
		if l.limit > 0 && int64(number) > l.limit {
			return
		}
		page := company.PageAt(number % l.pages)
		comment, err := page.Comment(number, time.Now())
		Expect(err).NotTo(HaveOccurred())
		for try := 0; !l.deliver(ctx, comment, sender+try); try++ {
			if !wait(ctx, again) {
				return
			}
		}
		l.mu.Lock()
		l.accepted = append(l.accepted, &sent{Comment: comment, page: page, at: time.Now()})
		l.mu.Unlock()
		if number%twiceEvery == 0 {
			l.deliver(ctx, comment, sender+1)
		}
	}
}

// deliver sends once, and tells whether it was accepted. A request that has
// begun is not given up before its answer.
func (l *load) deliver(ctx context.Context, comment *company.Comment, to int) bool {
	request, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodPost,
		company.Callback("http://"+l.gateways[to%len(l.gateways)]), bytes.NewReader(comment.Body))
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Hub-Signature-256", comment.Signature)
	answer, err := l.client.Do(request)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deliveries++
	if err != nil {
		l.cut++
		return false
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<16))
	_ = answer.Body.Close()
	l.answers[answer.StatusCode]++
	return answer.StatusCode == http.StatusOK
}

// acknowledged gives how many events were accepted.
func (l *load) acknowledged() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.accepted)
}

// answered gives how often a status was the answer.
func (l *load) answered(status int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.answers[status]
}

// wait waits, and tells whether the context lasts.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

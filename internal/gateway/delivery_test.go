// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/gateway"
	"github.com/rostra-dev/rostra/internal/hook"
	"github.com/rostra-dev/rostra/internal/platform"
)

var _ = Describe("A delivery", func() {
	It("is stored before it is answered, as the platform expects", func() {
		w := newWorld()
		w.sink.put = func(context.Context) error {
			Expect(w.outcomes("accepted")).To(BeZero())
			return nil
		}
		got := w.deliver(helpUID, "secret-help", eventsOf(""))
		Expect(got.status).To(Equal(http.StatusAccepted))
		Expect(got.body).To(Equal("{}"))
		Expect(got.header.Get("Content-Type")).To(Equal("application/json"))
		Expect(w.sink.events).To(ConsistOf(event.Event{
			ID: "event-0", Kind: event.Mention, Type: "mention", Platform: "Toy", AccountID: "account-help", Channel: "social/help",
			ChannelUID: helpUID, Text: "Dear customer care, where is my parcel?", ReceivedAt: start,
		}))
		Expect(w.outcomes("accepted")).To(Equal(1.0))
		Expect(w.count("rostra_gateway_events_total", "platform", "Toy", "kind", "Mention")).To(Equal(1.0))
	})

	It("reaches the adapter with its raw body and the callback as registered", func() {
		w := newWorld()
		var seen platform.Delivery
		w.toy.before = func(delivery platform.Delivery) error {
			seen = delivery
			return nil
		}
		body := " {\"Events\" : []}\n"
		Expect(w.deliver(helpUID, "secret-help", body, "Toy-Extra", "one").status).To(Equal(http.StatusAccepted))
		Expect(string(seen.Body)).To(Equal(body))
		Expect(seen.URL).To(Equal(hook.URL(base, "Toy", gatewayKey, helpUID)))
		Expect(seen.Header.Get("Toy-Extra")).To(Equal("one"))
		Expect(seen.ReceivedAt).To(Equal(start))
		Expect(w.sink.calls).To(BeZero(), "there was nothing to store")
	})

	It("keeps events that Rostra has no name for", func() {
		w := newWorld()
		body := `{"Events":[{"ID":"1","Kind":"Post.Superlike","Text":"x"}]}`
		Expect(w.deliver(helpUID, "secret-help", body).status).To(Equal(http.StatusAccepted))
		Expect(w.sink.events).To(HaveLen(1))
		Expect(w.sink.events[0].Kind).To(Equal(event.Other))
		Expect(w.sink.events[0].Type).To(Equal("post.superlike"))
		Expect(w.count("rostra_gateway_events_total", "kind", "Other")).To(Equal(1.0))
	})

	It("bounds what a stranger wrote", func() {
		w := newWorld()
		body := `{"Events":[{"ID":"1","Kind":"Mention","Text":"` + strings.Repeat("x", event.MaxText+5) + `"}]}`
		Expect(w.deliver(helpUID, "secret-help", body).status).To(Equal(http.StatusAccepted))
		Expect(w.sink.events[0].Text).To(HaveLen(event.MaxText))
	})

	It("has events that are told apart, whatever their IDs", func() {
		w := newWorld()
		long := strings.Repeat("x", event.MaxName)
		body := `{"Events":[{"ID":"` + long + `1"},{"ID":"` + long + `2"},{"ID":""},{"ID":""},{"ID":"a\u0000"},{"ID":"a"}]}`
		for range 2 {
			Expect(w.deliver(helpUID, "secret-help", body).status).To(Equal(http.StatusAccepted))
		}
		ids := map[string]int{}
		for _, one := range w.sink.events {
			Expect(len(one.ID)).To(And(BeNumerically(">", 0), BeNumerically("<=", event.MaxName)))
			ids[one.ID]++
		}
		Expect(ids).To(And(HaveLen(6), HaveEach(2)), "twice the same delivery gives the same")
	})

	It("is taken below a base URL with a path, whether or not the path is left in", func() {
		w := newWorld(func(o *gateway.Options) { o.BaseURL = base + "/rostra/" })
		body := eventsOf("")
		for _, target := range []string{path(helpUID), "/rostra" + path(helpUID)} {
			Expect(w.send(http.MethodPost, target, body, toyHeader, sign("secret-help", body)).status).To(Equal(http.StatusAccepted))
		}
		Expect(w.send(http.MethodPost, "/rostrata"+path(helpUID), body, toyHeader, sign("secret-help", body)).status).To(Equal(http.StatusNotFound))
	})

	It("is stored although the platform hangs up meanwhile", func() {
		w := newWorld()
		hungUp, ctxErr := make(chan struct{}), make(chan error, 1)
		w.sink.put = func(ctx context.Context) error {
			<-hungUp
			ctxErr <- ctx.Err()
			return nil
		}
		body := eventsOf("")
		ctx, cancel := context.WithCancel(context.Background())
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.server.URL+path(helpUID), strings.NewReader(body))
		Expect(err).NotTo(HaveOccurred())
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set(toyHeader, sign("secret-help", body))
		failed := make(chan error, 1)
		go func() {
			response, err := w.client.Do(request)
			if err == nil {
				_ = response.Body.Close()
			}
			failed <- err
		}()
		Eventually(func() float64 { return inFlight(w) }).Should(Equal(1.0))
		cancel()
		Expect(<-failed).To(MatchError(context.Canceled))
		close(hungUp)
		Expect(<-ctxErr).NotTo(HaveOccurred())
		Eventually(func() float64 { return w.outcomes("accepted") }).Should(Equal(1.0))
	})
})

// inFlight gives how many requests are being answered.
func inFlight(w *world) float64 {
	families, err := w.metrics.Gather()
	Expect(err).NotTo(HaveOccurred())
	for _, family := range families {
		if family.GetName() == "rostra_gateway_in_flight_requests" {
			return family.GetMetric()[0].GetGauge().GetValue()
		}
	}
	return -1
}

// Nothing can be read from an API server here: the gateway is made of a book, a
// function, a sink and a clock, and holds no client. What is left to see is
// that the sink is not called.
var _ = DescribeTable("A bad request costs an answer and nothing else",
	func(status int, result string, send func(*world) answered) {
		w := newWorld()
		got := send(w)
		Expect(got.status).To(Equal(status))
		Expect(got.body).To(Equal(http.StatusText(status) + "\n"))
		Expect(w.sink.calls).To(BeZero())
		Expect(w.outcomes(result)).To(Equal(1.0), "counted as %s", result)
	},
	Entry("unknown token", http.StatusNotFound, "unknown", func(w *world) answered {
		return w.send(http.MethodPost, "/hooks/toy/"+helpUID+".AAAAAAAAAAAAAAAAAAAAAA", "{}")
	}),
	Entry("token made with another key", http.StatusNotFound, "unknown", func(w *world) answered {
		return w.send(http.MethodPost, "/hooks/toy/"+hook.Token([]byte("ffffffffffffffffffffffffffffffff"), helpUID), "{}")
	}),
	Entry("token of another platform's path", http.StatusNotFound, "unknown", func(w *world) answered {
		return w.send(http.MethodPost, "/hooks/mastodon/"+hook.Token(gatewayKey, helpUID), "{}")
	}),
	Entry("platform in capitals", http.StatusNotFound, "unknown", func(w *world) answered {
		return w.send(http.MethodPost, "/hooks/Toy/"+hook.Token(gatewayKey, helpUID), "{}")
	}),
	Entry("more path after the token", http.StatusNotFound, "unknown", func(w *world) answered {
		return w.send(http.MethodPost, path(helpUID)+"/", "{}")
	}),
	Entry("no token", http.StatusNotFound, "unknown", func(w *world) answered { return w.send(http.MethodPost, "/hooks/toy", "{}") }),
	Entry("a CRC for a channel just deleted", http.StatusGone, "gone", func(w *world) answered {
		w.book.Remove("help")
		return w.send(http.MethodGet, path(helpUID)+"?challenge=abc", "")
	}),
	Entry("a delivery for a channel just deleted", http.StatusGone, "gone", func(w *world) answered {
		w.book.Remove("help")
		return w.deliver(helpUID, "secret-help", eventsOf(""))
	}),
	Entry("method", http.StatusMethodNotAllowed, "method", func(w *world) answered { return w.send(http.MethodPut, path(helpUID), "{}") }),
	Entry("wrong content type", http.StatusUnsupportedMediaType, "form", func(w *world) answered {
		request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, w.server.URL+path(helpUID), strings.NewReader("{}"))
		Expect(err).NotTo(HaveOccurred())
		request.Header.Set("Content-Type", "text/html")
		request.Header.Set(toyHeader, sign("secret-help", "{}"))
		return w.do(request)
	}),
	Entry("missing signature", http.StatusUnauthorized, "unsigned", func(w *world) answered {
		return w.send(http.MethodPost, path(helpUID), eventsOf(""))
	}),
	Entry("doubled signature", http.StatusUnauthorized, "unsigned", func(w *world) answered {
		return w.deliver(helpUID, "secret-help", eventsOf(""), toyHeader, sign("secret-help", eventsOf("")))
	}),
	Entry("wrong signature", http.StatusUnauthorized, "signature", func(w *world) answered {
		return w.deliver(helpUID, "secret-guessed", eventsOf(""))
	}),
	Entry("signature that is not hexadecimal", http.StatusUnauthorized, "signature", func(w *world) answered {
		return w.send(http.MethodPost, path(helpUID), eventsOf(""), toyHeader, "sha256=zz")
	}),
	Entry("valid signature of another channel", http.StatusUnauthorized, "signature", func(w *world) answered {
		return w.deliver(helpUID, "secret-news", eventsOf(""))
	}),
	Entry("valid signature over another body", http.StatusUnauthorized, "signature", func(w *world) answered {
		return w.send(http.MethodPost, path(helpUID), eventsOf("")+" ", toyHeader, sign("secret-help", eventsOf("")))
	}),
	Entry("event of another account at a channel's own callback", http.StatusBadRequest, "content", func(w *world) answered {
		return w.deliver(helpUID, "secret-help", eventsOf("", "account-news"))
	}),
	Entry("clock ten minutes ahead", http.StatusUnauthorized, "stale", func(w *world) answered {
		return w.deliver(helpUID, "secret-help", eventsOf(""), toyTime, strconv.FormatInt(start.Add(10*time.Minute).Unix(), 10))
	}),
	Entry("clock ten minutes behind", http.StatusUnauthorized, "stale", func(w *world) answered {
		return w.deliver(helpUID, "secret-help", eventsOf(""), toyTime, strconv.FormatInt(start.Add(-10*time.Minute).Unix(), 10))
	}),
	Entry("truncated JSON", http.StatusBadRequest, "content", func(w *world) answered {
		return w.deliver(helpUID, "secret-help", eventsOf("")[:40])
	}),
	Entry("HTML", http.StatusBadRequest, "content", func(w *world) answered {
		return w.deliver(helpUID, "secret-help", "<!doctype html><title>502</title>")
	}),
	Entry("deeply nested JSON", http.StatusBadRequest, "content", func(w *world) answered {
		return w.deliver(helpUID, "secret-help", strings.Repeat("[", 400_000))
	}),
	Entry("body of 10 MB", http.StatusRequestEntityTooLarge, "large", func(w *world) answered {
		return w.deliver(helpUID, "secret-help", strings.Repeat("x", 10<<20))
	}),
	Entry("body of a byte too much that does not say its length", http.StatusRequestEntityTooLarge, "large", func(w *world) answered {
		body := struct{ *strings.Reader }{strings.NewReader(strings.Repeat("x", 1<<20+1))}
		request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, w.server.URL+path(helpUID), body)
		Expect(err).NotTo(HaveOccurred())
		return w.do(request)
	}),
	Entry("handshake without a challenge", http.StatusBadRequest, "form", func(w *world) answered { return w.send(http.MethodGet, path(helpUID), "") }),
)

var _ = Describe("The largest body", func() {
	It("is taken", func() {
		w := newWorld()
		body := eventsOf("")
		body += strings.Repeat(" ", 1<<20-len(body))
		Expect(w.deliver(helpUID, "secret-help", body).status).To(Equal(http.StatusAccepted))
	})

	It("is put off while others fill the room for bodies", func() {
		w := newWorld(func(o *gateway.Options) { o.Limits.Bodies = 1 << 20 })
		inside, leave := make(chan struct{}), make(chan struct{})
		w.sink.put = func(context.Context) error {
			close(inside)
			<-leave
			return nil
		}
		body := eventsOf("") + strings.Repeat(" ", 600<<10)
		first := make(chan answered)
		go func() {
			defer GinkgoRecover()
			first <- w.deliver(helpUID, "secret-help", body)
		}()
		<-inside
		got := w.deliver(newsUID, "secret-guessed", body)
		Expect(got.status).To(Equal(http.StatusServiceUnavailable))
		Expect(got.header.Get("Retry-After")).To(Equal("5"))
		Expect(w.deliver(newsUID, "secret-guessed", eventsOf("")).status).To(Equal(http.StatusUnauthorized), "a small one has room")
		close(leave)
		Expect((<-first).status).To(Equal(http.StatusAccepted))
		Expect(w.deliver(newsUID, "secret-guessed", body).status).To(Equal(http.StatusUnauthorized), "the room is free again")
	})
})

var _ = Describe("What is on us", func() {
	var w *world
	putOff := func(got answered) {
		GinkgoHelper()
		Expect(got.status).To(Equal(http.StatusServiceUnavailable))
		Expect(got.header.Get("Retry-After")).To(Equal("5"))
		Expect(w.outcomes("accepted")).To(BeZero())
		Expect(w.outcomes("unavailable")).To(Equal(1.0))
	}

	It("is answered 503 where events cannot be stored", func() {
		w = newWorld()
		w.sink.put = func(context.Context) error { return errors.New("the disk is full") }
		putOff(w.deliver(helpUID, "secret-help", eventsOf("")))
		Expect(w.log.text()).To(ContainSubstring("the disk is full"))
		Expect(w.count("rostra_gateway_events_total")).To(BeZero())
	})

	It("is answered 503 where storing takes longer than platforms wait", func() {
		w = newWorld(func(o *gateway.Options) { o.Limits.Deadline = 30 * time.Millisecond })
		w.sink.put = func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}
		putOff(w.deliver(helpUID, "secret-help", eventsOf("")))
	})

	It("is answered 503 until the callbacks are known, so that no platform drops one", func() {
		synced := false
		w = newWorld(func(o *gateway.Options) { o.Synced = func() bool { return synced } })
		w.book.Remove("help")
		Expect(w.send(http.MethodPost, "/hooks/toy/"+helpUID+".AAAAAAAAAAAAAAAAAAAAAA", "{}").status).To(Equal(http.StatusNotFound), "a token that is none")
		putOff(w.deliver(helpUID, "secret-help", eventsOf("")))
		synced = true
		Expect(w.deliver(helpUID, "secret-help", eventsOf("")).status).To(Equal(http.StatusGone))
	})

	It("is answered 503 where no key is in force", func() {
		w = newWorld()
		record := recordOf(helpUID, helpUID, "help", "account-help", "secret-help")
		record.Keys[0].Until = start
		w.book.Put("help", record)
		putOff(w.deliver(helpUID, "secret-help", eventsOf("")))
	})

	It("is answered 503 where the build has no adapter", func() {
		w = newWorld(func(o *gateway.Options) {
			o.Receiver = func(string, string) (platform.Receiver, bool) { return nil, false }
		})
		putOff(w.deliver(helpUID, "secret-help", eventsOf("")))
	})

	It("is answered 503 where an adapter fails otherwise than it may", func() {
		w = newWorld()
		w.toy.before = func(platform.Delivery) error { return errors.New("Dear customer care") }
		putOff(w.deliver(helpUID, "secret-help", eventsOf("")))
	})

	It("is answered 500 where something panics, and the next is answered", func() {
		w = newWorld()
		w.toy.before = func(platform.Delivery) error { panic("Dear customer care") }
		got := w.deliver(helpUID, "secret-help", eventsOf(""))
		Expect(got.status).To(Equal(http.StatusInternalServerError))
		Expect(got.body).To(Equal("Internal Server Error\n"))
		Expect(w.outcomes("panic")).To(Equal(1.0))
		w.toy.before = nil
		Expect(w.deliver(helpUID, "secret-help", eventsOf("")).status).To(Equal(http.StatusAccepted))
	})

	It("logs a lasting trouble once a minute", func() {
		w = newWorld()
		w.sink.put = func(context.Context) error { return errors.New("the disk is full") }
		for range 50 {
			w.deliver(helpUID, "secret-help", eventsOf(""))
		}
		Expect(strings.Count(w.log.text(), "the disk is full")).To(Equal(1))
		w.SetTime(start.Add(time.Minute))
		w.deliver(helpUID, "secret-help", eventsOf(""))
		Expect(strings.Count(w.log.text(), "the disk is full")).To(Equal(2))
	})
})

var _ = DescribeTable("An adapter's answer that cannot be sent", func(status int) {
	w := newWorld()
	w.toy.before = func(platform.Delivery) error {
		return &platform.Rejection{Reason: "Odd", Status: status, Message: "odd"}
	}
	Expect(w.deliver(helpUID, "secret-help", eventsOf("")).status).To(Equal(http.StatusBadRequest))
	Expect(w.outcomes("form")).To(Equal(1.0))
}, Entry("none", 0), Entry("negative", -1), Entry("interim", 100), Entry("too high", 1000))

var _ = Describe("A webhook's secret that is rotated", Label("S13"), func() {
	It("verifies old and new during the overlap, then only the new", func() {
		w := newWorld()
		record := recordOf(helpUID, helpUID, "help", "account-help", "secret-new")
		record.Keys = append(record.Keys, hook.KeySet{Values: keysOf("secret-help"), Until: start.Add(time.Hour)})
		w.book.Put("help", record)
		deliver := func(secret string) int { return w.deliver(helpUID, secret, eventsOf("")).status }

		Expect(deliver("secret-new")).To(Equal(http.StatusAccepted))
		Expect(deliver("secret-help")).To(Equal(http.StatusAccepted))
		Expect(w.send(http.MethodGet, path(helpUID)+"?challenge=abc", "").body).To(Equal(sign("secret-new", "crc:abc")), "the newest answers")
		w.SetTime(start.Add(time.Hour - time.Second))
		Expect(deliver("secret-help")).To(Equal(http.StatusAccepted))
		w.SetTime(start.Add(time.Hour))
		Expect(deliver("secret-new")).To(Equal(http.StatusAccepted))
		Expect(deliver("secret-help")).To(Equal(http.StatusUnauthorized))
	})
})

var _ = Describe("A callback of many channels", func() {
	It("gives each event to the channel that holds its account", func() {
		w := newWorld()
		Expect(w.deliver(pagesUID, "secret-app", eventsOf("account-blog", "account-shop", "account-blog")).status).To(Equal(http.StatusAccepted))
		var channels []string
		for _, one := range w.sink.events {
			channels = append(channels, one.Channel+" "+one.ChannelUID)
		}
		Expect(channels).To(Equal([]string{"social/blog " + blogUID, "social/shop " + shopUID, "social/blog " + blogUID}))
		Expect(w.sink.calls).To(Equal(1), "all or nothing")
	})

	It("counts what nobody holds, and accepts the rest", func() {
		w := newWorld()
		for range 20 {
			Expect(w.deliver(pagesUID, "secret-app", eventsOf("account-x", "account-shop", "")).status).To(Equal(http.StatusAccepted))
		}
		Expect(w.sink.events).To(HaveLen(20))
		Expect(w.count("rostra_gateway_unrouted_events_total", "platform", "Toy")).To(Equal(40.0))
		Expect(strings.Count(w.log.text(), "no channel holds")).To(Equal(1))
	})

	It("verifies with the keys of each", func() {
		w := newWorld()
		w.book.Put("blog", recordOf(pagesUID, blogUID, "blog", "account-blog", "secret-other"))
		for _, secret := range []string{"secret-app", "secret-other"} {
			Expect(w.deliver(pagesUID, secret, eventsOf("account-shop")).status).To(Equal(http.StatusAccepted))
		}
		Expect(w.deliver(pagesUID, "secret-help", eventsOf("account-shop")).status).To(Equal(http.StatusUnauthorized))
	})

	It("refuses a secret that was replaced, for all channels, though one of them sleeps with it", Label("S13"), func() {
		w := newWorld()
		shop, blog := recordOf(pagesUID, shopUID, "shop", "account-shop", "secret-new"), recordOf(pagesUID, blogUID, "blog", "account-blog", "secret-app")
		shop.Keys = append(shop.Keys, hook.KeySet{Values: keysOf("secret-app"), Until: start.Add(time.Hour)})
		shop.Made, blog.Made = start, start.Add(-24*time.Hour)
		w.book.Put("shop", shop)
		w.book.Put("blog", blog)
		Expect(w.deliver(pagesUID, "secret-app", eventsOf("account-blog")).status).To(Equal(http.StatusAccepted))
		w.SetTime(start.Add(time.Hour))
		for _, account := range []string{"account-shop", "account-blog"} {
			Expect(w.deliver(pagesUID, "secret-app", eventsOf(account)).status).NotTo(Equal(http.StatusAccepted))
			Expect(w.deliver(pagesUID, "secret-new", eventsOf(account)).status).To(Equal(http.StatusAccepted))
		}
		Expect(w.sink.events).To(HaveExactElements(
			HaveField("ChannelUID", blogUID), HaveField("ChannelUID", shopUID), HaveField("ChannelUID", blogUID)))
	})

	It("is no channel's own callback", func() {
		w := newWorld()
		Expect(w.deliver(shopUID, "secret-app", eventsOf("account-shop")).status).To(Equal(http.StatusGone))
	})
})

// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package httpx_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/httpx"
)

var discard = log.New(io.Discard, "", 0)

func get(client *httpx.Client, url string) (*httpx.Response, error) {
	return client.Do(context.Background(), httpx.Request{URL: url})
}

func haveKind(kind httpx.Kind) OmegaMatcher {
	return WithTransform(httpx.KindOf, Equal(kind))
}

func asError(err error) *httpx.Error {
	GinkgoHelper()
	failure, ok := errors.AsType[*httpx.Error](err)
	Expect(ok).To(BeTrue(), "not an *httpx.Error: %v", err)
	return failure
}

func timeout(d time.Duration) func(*httpx.Options) {
	return func(o *httpx.Options) { o.Timeout = d }
}

// untilGone blocks a handler until its client has hung up, which a server
// notices only once it has read the request to its end.
func untilGone(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// selfSigned makes a certificate for 127.0.0.1 that ends at the given time.
func selfSigned(until time.Time) tls.Certificate {
	GinkgoHelper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: until.Add(-24 * time.Hour), NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	Expect(err).NotTo(HaveOccurred())
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

var _ = Describe("Do", func() {
	It("sends method, headers and body, and gives the whole answer", func() {
		server := serve(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			w.Header().Set("X-Saw", strings.Join([]string{r.Method, r.UserAgent(), r.Header.Get("Authorization"), string(body)}, " "))
			w.WriteHeader(http.StatusTeapot)
			_, _ = fmt.Fprint(w, "short and stout ", err)
		})
		header := http.Header{"Authorization": {"Bearer abc"}}
		resp, err := newClient().Do(context.Background(), httpx.Request{Method: http.MethodPost, URL: server.URL + "/tea?x=1", Header: header, Body: []byte("leaves")})
		Expect(err).NotTo(HaveOccurred())
		Expect(resp.Status).To(Equal(http.StatusTeapot))
		Expect(resp.Header.Get("X-Saw")).To(Equal("POST rostra-test/1 Bearer abc leaves"))
		Expect(string(resp.Body)).To(Equal("short and stout <nil>"))
		Expect(header).To(HaveLen(1), "the caller's header was changed")
	})

	It("lets a request name its own User-Agent", func() {
		server := serve(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.UserAgent()) })
		resp, err := newClient().Do(context.Background(), httpx.Request{URL: server.URL, Header: http.Header{"User-Agent": {"special/2"}}})
		Expect(err).NotTo(HaveOccurred())
		Expect(string(resp.Body)).To(Equal("special/2"))
	})

	It("speaks HTTP/2 where the server does, and verifies its certificate", func() {
		server := serveTLS(func(s *httptest.Server) { s.EnableHTTP2 = true }, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.Proto)
		})
		resp, err := get(newClient(trusting(server)), server.URL)
		Expect(err).NotTo(HaveOccurred())
		Expect(string(resp.Body)).To(Equal("HTTP/2.0"))
	})

	It("accepts HEAD, whose length is not that of its body", func() {
		server := serve(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "99999999") })
		resp, err := newClient().Do(context.Background(), httpx.Request{Method: http.MethodHead, URL: server.URL})
		Expect(err).NotTo(HaveOccurred())
		Expect(resp.Body).To(BeEmpty())
	})

	DescribeTable("gives the retry time of refusals only",
		func(status int, header http.Header, wanted time.Duration) {
			server := serve(func(w http.ResponseWriter, _ *http.Request) {
				maps.Copy(w.Header(), header)
				w.WriteHeader(status)
			})
			clk := newFakeClock()
			resp, err := get(newClient(func(o *httpx.Options) { o.Clock = clk }), server.URL)
			Expect(err).NotTo(HaveOccurred())
			if wanted == 0 {
				Expect(resp.RetryAt).To(BeZero())
				return
			}
			Expect(resp.RetryAt).To(BeTemporally("==", clk.Now().Add(wanted)))
		},
		Entry("429, Retry-After", 429, http.Header{"Retry-After": {"120"}}, 2*time.Minute),
		Entry("429, reset", 429, http.Header{"X-Ratelimit-Reset": {"90"}}, 90*time.Second),
		Entry("503, Retry-After", 503, http.Header{"Retry-After": {"7"}}, 7*time.Second),
		Entry("403, Retry-After", 403, http.Header{"Retry-After": {"7"}}, 7*time.Second),
		Entry("403, reset alone", 403, http.Header{"X-Ratelimit-Reset": {"90"}}, time.Duration(0)),
		Entry("200, reset", 200, http.Header{"X-Ratelimit-Reset": {"90"}, "Retry-After": {"7"}}, time.Duration(0)),
		Entry("429, nothing", 429, http.Header{}, time.Duration(0)),
	)

	Describe("bodies", func() {
		It("takes a body of exactly the cap and refuses one byte more", func() {
			server := serve(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, strings.Repeat("x", len(r.URL.Path)))
			})
			client := newClient(func(o *httpx.Options) { o.MaxBody = 100 })
			resp, err := get(client, server.URL+"/"+strings.Repeat("p", 99))
			Expect(err).NotTo(HaveOccurred())
			Expect(resp.Body).To(HaveLen(100))

			_, err = get(client, server.URL+"/"+strings.Repeat("p", 100))
			Expect(err).To(haveKind(httpx.KindBodyTooLarge))
			Expect(err).To(MatchError(httpx.ErrBodyTooLarge))

			resp, err = client.Do(context.Background(), httpx.Request{URL: server.URL + "/" + strings.Repeat("p", 100), MaxBody: 101})
			Expect(err).NotTo(HaveOccurred())
			Expect(resp.Body).To(HaveLen(101))
		})

		It("is done with the header where the body is not wanted", func() {
			server := serve(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", 200)) })
			resp, err := newClient().Do(context.Background(), httpx.Request{URL: server.URL, MaxBody: 100, DiscardBody: true})
			Expect(err).NotTo(HaveOccurred())
			Expect(resp.Status).To(Equal(http.StatusOK))
			Expect(resp.Body).To(BeEmpty())
		})

		It("stops reading a body that never ends", func() {
			var written atomic.Int64
			stopped := make(chan struct{})
			server := serve(func(w http.ResponseWriter, _ *http.Request) {
				defer close(stopped)
				chunk := bytes.Repeat([]byte("x"), 64<<10)
				for {
					n, err := w.Write(chunk)
					written.Add(int64(n))
					if err != nil {
						return
					}
				}
			})
			_, err := get(newClient(), server.URL)
			Expect(err).To(MatchError(httpx.ErrBodyTooLarge))
			Eventually(stopped).WithTimeout(5 * time.Second).Should(BeClosed())
			Expect(written.Load()).To(BeNumerically("<", 64<<20))
		})

		It("counts the cap after decompression", func() {
			var bomb bytes.Buffer
			zipper := gzip.NewWriter(&bomb)
			_, err := zipper.Write(make([]byte, 8<<20))
			Expect(err).NotTo(HaveOccurred())
			Expect(zipper.Close()).To(Succeed())
			server := serve(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				_, _ = w.Write(bomb.Bytes())
			})
			Expect(bomb.Len()).To(BeNumerically("<", 1<<20))
			_, err = get(newClient(), server.URL)
			Expect(err).To(MatchError(httpx.ErrBodyTooLarge))
		})

		DescribeTable("refuses one that was cut short",
			func(answer string) {
				_, err := get(newClient(), serveRaw(answer))
				Expect(err).To(haveKind(httpx.KindTruncated))
				Expect(err).To(MatchError(io.ErrUnexpectedEOF))
				Expect(asError(err).MaybeSent).To(BeTrue())
			},
			Entry("by length", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":"),
			Entry("in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"id\":"),
			Entry("between chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
			Entry("in a damaged chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n"),
			Entry("in compression", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00"),
		)
	})

	It("refuses a body that was cut short over HTTP/2", func() {
		server := serveTLS(func(s *httptest.Server) { s.EnableHTTP2 = true }, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"id":`)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler) // resets the stream
		})
		_, err := get(newClient(trusting(server)), server.URL)
		Expect(err).To(haveKind(httpx.KindTruncated))
	})

	Describe("time", func() {
		It("bounds headers that never come", func() {
			server := serve(func(_ http.ResponseWriter, r *http.Request) { untilGone(r) })
			_, err := get(newClient(timeout(50*time.Millisecond)), server.URL)
			Expect(err).To(haveKind(httpx.KindTimeout))
			Expect(err).To(MatchError(context.DeadlineExceeded))
			Expect(err).To(MatchError(server.URL + ": no complete answer within 50ms"))
			Expect(asError(err).MaybeSent).To(BeTrue(), "the server had the request")
		})

		It("bounds a body that drips", func() {
			server := serve(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, "{")
				w.(http.Flusher).Flush()
				untilGone(r)
			})
			_, err := get(newClient(timeout(50*time.Millisecond)), server.URL)
			Expect(err).To(haveKind(httpx.KindTimeout))
			Expect(err).To(MatchError(server.URL + ": no complete answer within 50ms"))
		})

		It("bounds a TLS handshake that never answers", func() {
			silent := serveSilence()
			_, err := get(newClient(timeout(50*time.Millisecond)), "https://"+silent)
			Expect(err).To(haveKind(httpx.KindTimeout))
			Expect(asError(err).MaybeSent).To(BeFalse(), "no connection was had")
		})

		It("tells the caller's deadline from its own", func() {
			server := serve(func(_ http.ResponseWriter, r *http.Request) { untilGone(r) })
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer cancel()
			_, err := newClient().Do(ctx, httpx.Request{URL: server.URL})
			Expect(err).To(haveKind(httpx.KindTimeout))
			Expect(err).To(MatchError(ContainSubstring("before the caller's deadline")))
		})

		It("ends when the caller cancels", func() {
			ctx, cancel := context.WithCancel(context.Background())
			server := serve(func(_ http.ResponseWriter, r *http.Request) {
				cancel()
				untilGone(r)
			})
			_, err := newClient().Do(ctx, httpx.Request{URL: server.URL})
			Expect(err).To(haveKind(httpx.KindCanceled))
			Expect(err).To(MatchError(context.Canceled))
		})

		It("sends nothing for a caller that has given up already", func() {
			var calls atomic.Int32
			server := serve(func(http.ResponseWriter, *http.Request) { calls.Add(1) })
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			_, err := newClient().Do(ctx, httpx.Request{URL: server.URL})
			Expect(err).To(haveKind(httpx.KindCanceled))
			Expect(asError(err).MaybeSent).To(BeFalse())
			Expect(calls.Load()).To(BeZero())
		})
	})

	Describe("redirects", func() {
		DescribeTable("are never followed, and say where they point",
			func(status int, location, wanted string) {
				var calls atomic.Int32
				server := serve(func(w http.ResponseWriter, _ *http.Request) {
					calls.Add(1)
					w.Header().Set("Location", location)
					w.WriteHeader(status)
				})
				_, err := get(newClient(), server.URL+"/start")
				Expect(err).To(haveKind(httpx.KindRedirect))
				Expect(err).To(MatchError(ContainSubstring(wanted)))
				Expect(err.Error()).NotTo(ContainSubstring("secret"))
				Expect(calls.Load()).To(Equal(int32(1)))
			},
			Entry("moved", 301, "https://new.example/secret?code=secret", "redirect to https://new.example; redirects are not followed: set the server URL to https://new.example"),
			Entry("temporary", 307, "https://new.example:8443/", "set the server URL to https://new.example:8443"),
			Entry("permanent", 308, "http://127.0.0.1:1/", "set the server URL to http://127.0.0.1:1"),
			Entry("same server", 302, "/login?secret", "another path of its own"),
			Entry("other scheme", 303, "javascript:secret()", "unusable address"),
			Entry("with a password", 302, "https://user:secret@new.example/", "unusable address"),
			Entry("without a place", 302, "", "unusable address"),
		)

		It("cost little to refuse, however long the name they point to", func() {
			server := serve(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "https://xn--"+strings.Repeat("z", 100_000))
				w.WriteHeader(http.StatusFound)
			})
			start := time.Now()
			_, err := get(newClient(), server.URL)
			Expect(err).To(MatchError(ContainSubstring("unusable address")))
			Expect(time.Since(start)).To(BeNumerically("<", 5*time.Second), "some thousand times what it takes")
		})

		It("leaves 304 to the caller", func() {
			server := serve(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
			resp, err := get(newClient(), server.URL)
			Expect(err).NotTo(HaveOccurred())
			Expect(resp.Status).To(Equal(http.StatusNotModified))
		})
	})

	Describe("servers that cannot be reached", func() {
		It("says that a connection was refused", func() {
			url := closedPort()
			_, err := get(newClient(), url)
			Expect(err).To(haveKind(httpx.KindConnect))
			Expect(err).To(MatchError(url + ": connection refused"))
			Expect(err).To(MatchError(syscall.ECONNREFUSED))
			Expect(asError(err).MaybeSent).To(BeFalse())
		})

		It("says that a name does not exist", func() {
			client := newClient(func(o *httpx.Options) {
				o.Resolver = resolver(func(string) (netip.Addr, bool) { return netip.Addr{}, false })
			})
			_, err := get(client, "https://nowhere.example/x")
			Expect(err).To(haveKind(httpx.KindDNS))
			Expect(err).To(MatchError("https://nowhere.example: no such host in DNS"))
			Expect(asError(err).MaybeSent).To(BeFalse())
		})

		It("says that a name cannot be looked up", func() {
			client := newClient(func(o *httpx.Options) { o.Resolver = brokenResolver() })
			_, err := get(client, "https://nowhere.example/x")
			Expect(err).To(haveKind(httpx.KindDNS))
			Expect(err).To(MatchError("https://nowhere.example: the host's name could not be looked up in DNS"))
		})

		DescribeTable("says that the answer is not HTTP",
			func(answer string) {
				_, err := get(newClient(), serveRaw(answer))
				Expect(err).To(haveKind(httpx.KindProtocol))
				Expect(err.Error()).NotTo(ContainSubstring("OpenSSH"))
				Expect(asError(err).MaybeSent).To(BeTrue())
			},
			Entry("another protocol", "SSH-2.0-OpenSSH_9\r\n"),
			Entry("nothing", ""),
			Entry("half a header", "HTTP/1.1 200 OK\r\nContent-"),
			Entry("switching protocols", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"),
			Entry("headers without end", "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 200<<10)+"\r\n\r\n"),
		)
	})

	Describe("TLS", func() {
		answer := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "reached") }

		refused := func(err error, wanted string) {
			GinkgoHelper()
			Expect(err).To(haveKind(httpx.KindTLS))
			Expect(err).To(MatchError(ContainSubstring(wanted)))
			Expect(asError(err).MaybeSent).To(BeFalse())
		}

		It("refuses an unknown authority", func() {
			server := serveTLS(nil, answer)
			_, err := get(newClient(), server.URL)
			refused(err, "signed by an unknown authority")
		})

		It("refuses a certificate for another host", func() {
			server := serveTLS(nil, answer)
			client := newClient(trusting(server), func(o *httpx.Options) { o.Resolver = resolver(always("127.0.0.1")) })
			_, err := get(client, strings.Replace(server.URL, "127.0.0.1", "other.test", 1))
			refused(err, "for another host name")
		})

		It("refuses TLS 1.1", func() {
			server := serveTLS(func(s *httptest.Server) {
				s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
			}, answer)
			_, err := get(newClient(trusting(server)), server.URL)
			refused(err, "TLS 1.2 or later")
		})

		It("refuses a certificate that has expired", func() {
			expired := selfSigned(time.Now().Add(-time.Hour))
			server := serveTLS(func(s *httptest.Server) {
				s.TLS = &tls.Config{Certificates: []tls.Certificate{expired}, MinVersion: tls.VersionTLS12}
			}, answer)
			_, err := get(newClient(trusting(server)), server.URL)
			refused(err, "has expired or is not valid yet")
		})

		It("says that a server speaks no TLS", func() {
			server := serve(answer)
			_, err := get(newClient(), strings.Replace(server.URL, "http:", "https:", 1))
			refused(err, "does not speak TLS on this port")
		})
	})

	Describe("requests that cannot be sent", func() {
		DescribeTable("are refused in words, without repeating them",
			func(req httpx.Request, wanted string) {
				_, err := newClient().Do(context.Background(), req)
				Expect(err).To(haveKind(httpx.KindInvalidRequest))
				Expect(err).To(MatchError(ContainSubstring(wanted)))
				Expect(err.Error()).NotTo(ContainSubstring("secret"))
				Expect(asError(err).MaybeSent).To(BeFalse())
			},
			Entry("no URL", httpx.Request{}, "scheme other than https or http"),
			Entry("relative", httpx.Request{URL: "/secret"}, "scheme other than https or http"),
			Entry("another scheme", httpx.Request{URL: "file:///secret"}, "scheme other than https or http"),
			Entry("a password", httpx.Request{URL: "https://a:secret@b.example/"}, "credentials belong in a Secret"),
			Entry("a fragment", httpx.Request{URL: "https://b.example/#secret"}, "fragment"),
			Entry("no host", httpx.Request{URL: "https:///secret"}, "no host"),
			Entry("control characters", httpx.Request{URL: "https://b.example/\nsecret"}, "cannot be parsed"),
			Entry("a bad method", httpx.Request{URL: "https://b.example/secret", Method: "GET secret"}, "method"),
			Entry("a line break in a credential", httpx.Request{URL: "https://b.example/", Header: http.Header{"Authorization": {"Bearer secret\n"}}}, "the header Authorization holds a character"),
			Entry("a bad header name", httpx.Request{URL: "https://b.example/", Header: http.Header{"secret\n": {"x"}}}, "a name that HTTP does not allow"),
			Entry("a negative limit", httpx.Request{URL: "https://b.example/", MaxBody: -1}, "body limit"),
			Entry("a limit without end", httpx.Request{URL: "https://b.example/", MaxBody: 1<<63 - 1}, "body limit"),
		)
	})

	Describe("what it prints", func() {
		const token = "s3cr3t-token"
		request := func(base string) httpx.Request {
			return httpx.Request{
				URL:    base + "/bot" + token + "/get?access_token=" + token,
				Header: http.Header{"Authorization": {token}},
				Body:   []byte(token),
			}
		}

		It("shows nothing secret of requests and responses", func() {
			req := request("https://b.example")
			Expect(fmt.Sprintf("%v %+v %#v %s", req, req, req, req)).To(Equal(strings.TrimSpace(strings.Repeat("GET https://b.example ", 4))))
			resp := httpx.Response{Status: 200, Header: http.Header{"Set-Cookie": {token}}, Body: []byte(token)}
			Expect(fmt.Sprintf("%v %+v %#v", resp, resp, &resp)).NotTo(ContainSubstring(token))
		})

		DescribeTable("shows nothing secret in errors, at any depth, and says the same each time",
			func(base func() string) {
				client := newClient(timeout(500*time.Millisecond), func(o *httpx.Options) {
					o.BreakerAfter = 100
					o.Resolver = resolver(func(string) (netip.Addr, bool) { return netip.Addr{}, false })
				})
				origin := base()
				_, first := client.Do(context.Background(), request(origin))
				_, second := client.Do(context.Background(), request(origin))
				Expect(first).To(HaveOccurred())
				Expect(first.Error()).To(Equal(second.Error()))
				Expect(first.Error()).To(HavePrefix(origin + ": "))
				for err := first; err != nil; err = errors.Unwrap(err) {
					Expect(fmt.Sprintf("%s %+v %#v", err, err, err)).NotTo(ContainSubstring(token))
				}
			},
			Entry("refused", closedPort),
			Entry("no such name", func() string { return "https://nowhere.example" }),
			Entry("not HTTP, and quoting the request", func() string { return serveRaw(token + "\r\n") }),
			Entry("a header that quotes the request", func() string { return serveRaw("HTTP/1.1 200 OK\r\n" + token + "\r\n\r\n") }),
			Entry("cut short", func() string { return serveRaw("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + token) }),
			Entry("a redirect", func() string {
				return serveRaw("HTTP/1.1 302 Found\r\nLocation: https://x.example/" + token + "\r\n\r\n")
			}),
			Entry("an address of ours", func() string { return "https://10.0.0.1" }),
			Entry("slow", func() string { return serve(func(_ http.ResponseWriter, r *http.Request) { untilGone(r) }).URL }),
		)
	})

	DescribeTable("New refuses options that make no sense",
		func(change func(*httpx.Options), wanted string) {
			options := httpx.Options{UserAgent: "rostra-test/1"}
			change(&options)
			_, err := httpx.New(options)
			Expect(err).To(MatchError(ContainSubstring(wanted)))
		},
		Entry("no User-Agent", func(o *httpx.Options) { o.UserAgent = "" }, "User-Agent"),
		Entry("a line break in it", func(o *httpx.Options) { o.UserAgent = "a\nb" }, "User-Agent"),
		Entry("a negative time-out", func(o *httpx.Options) { o.Timeout = -1 }, "negative"),
		Entry("a wait over the time-out", func(o *httpx.Options) { o.Timeout, o.MaxWait = time.Second, time.Minute }, "longer than"),
		Entry("a body without bound", func(o *httpx.Options) { o.MaxBody = 1 << 62 }, "body limit"),
		Entry("a negative rate", func(o *httpx.Options) { o.AccountRate = -1 }, "account rate"),
		Entry("every address", func(o *httpx.Options) { o.AllowedPrivate = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")} }, "covers every address"),
		Entry("no address", func(o *httpx.Options) { o.AllowedPrivate = []netip.Prefix{{}} }, "not valid"),
		Entry("a disguised address", func(o *httpx.Options) {
			o.AllowedPrivate = []netip.Prefix{netip.MustParsePrefix("::ffff:10.0.0.0/104")}
		}, "write it as IPv4"),
	)
})

// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"

	"github.com/rostra-dev/rostra/internal/cli"
	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/desk"
	"github.com/rostra-dev/rostra/internal/event"
)

const (
	operatorPods = "/api/v1/namespaces/rostra-system/pods"
	helpID       = "aaaabbbbccccddddeeee"
	newsID       = "ccccbbbbccccddddeeee"
)

// waiting is what the desk says: one who waits and is late, and one of whom
// nobody was told.
func waiting() desk.Conversations {
	return desk.Conversations{At: noon, Total: 2, Conversations: []desk.Conversation{
		{
			ID: helpID, Channel: "social/acme-help", Platform: "Mastodon", Author: "@stranger@social.example", Kind: event.Mention, URL: "https://social.example/1",
			Messages: 3, State: conversation.Told, Episode: 1, OpenedAt: noon.Add(-25 * time.Minute), LastAt: noon, LateAt: noon.Add(-time.Minute),
			Owner: "customer-care", Route: "care", Rule: "loud", Step: "step 1", NextStep: "step 2", NextAt: noon.Add(5 * time.Minute),
			Tellings: []desk.Telling{
				{At: noon.Add(-24 * time.Minute), Step: "step 1", Team: "customer-care", Member: "maria", Problem: "the mail server refused"},
				{At: noon.Add(-24 * time.Minute), Step: "step 1", Team: "customer-care", Member: "dana", Way: "email"},
			},
		},
		{
			ID: newsID, Channel: "social/acme-news", Platform: "X", Kind: event.DirectMessage, Messages: 1, State: conversation.Open, Episode: 1,
			OpenedAt: noon.Add(-3 * time.Second), NextStep: "step 1", NextAt: noon.Add(-time.Second), Tellings: []desk.Telling{},
		},
	}}
}

// reception is a desk as the command line sees it.
type reception struct {
	address string
	asked   []string
	status  int
	answer  any
}

func receive(answer any) *reception {
	GinkgoHelper()
	r := &reception{status: http.StatusOK, answer: answer}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		r.asked = append(r.asked, strings.TrimSpace(request.Method+" "+request.Host+" "+request.URL.String()+" "+string(body)))
		w.WriteHeader(r.status)
		if text, ok := r.answer.(string); ok {
			_, _ = io.WriteString(w, text)
			return
		}
		_ = json.NewEncoder(w).Encode(r.answer)
	}))
	DeferCleanup(server.Close)
	r.address = server.Listener.Addr().String()
	return r
}

func (r *reception) url() string { return "http://" + r.address }

// operated is a Kubernetes API with an operator whose pod has a desk.
type operated struct {
	*reception
	pods      string
	websocket bool // it speaks it
	forbids   string
	refuses   bool // nothing listens in the pod
	nobody    bool // it does not say who one is
	forwarded []string
}

const readyPod = `{"metadata": {"name": "rostra-1", "namespace": "rostra-system"}, "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}`

// operate starts one, and gives its kubeconfig.
func operate(answer any) (*operated, string) {
	GinkgoHelper()
	o := &operated{reception: receive(answer), pods: readyPod}
	server := httptest.NewServer(o)
	DeferCleanup(server.Close)
	config := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(os.WriteFile(config, []byte(`apiVersion: v1
kind: Config
current-context: here
contexts: [{name: here, context: {cluster: here, namespace: social}}]
clusters: [{name: here, cluster: {server: "`+server.URL+`"}}]
`), 0o600)).To(Succeed())
	return o, config
}

// ServeHTTP implements http.Handler.
func (o *operated) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	switch {
	case o.forbids != "" && strings.HasSuffix(r.URL.Path, o.forbids):
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "`+o.forbids+` is forbidden: User \"dana\" cannot"}`)
	case r.URL.Path == operatorPods && r.URL.Query().Get("labelSelector") == "app.kubernetes.io/name=rostra,app.kubernetes.io/component=manager":
		_, _ = io.WriteString(w, `{"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [`+o.pods+`]}`)
	case r.URL.Path == "/apis/authentication.k8s.io/v1/selfsubjectreviews" && o.nobody:
		w.WriteHeader(http.StatusNotFound)
	case r.URL.Path == "/apis/authentication.k8s.io/v1/selfsubjectreviews":
		_, _ = io.WriteString(w, `{"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1", "status": {"userInfo": {"username": "dana@acme.example"}}}`)
	case r.URL.Path == operatorPods+"/rostra-1/portforward":
		o.forward(w, r)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// forward is what the API server and the kubelet do.
func (o *operated) forward(w http.ResponseWriter, r *http.Request) {
	streams := make(chan httpstream.Stream, 8)
	take := func(stream httpstream.Stream, _ <-chan struct{}) error {
		streams <- stream
		return nil
	}
	if r.Method == http.MethodGet {
		if !o.websocket {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		upgrader := websocket.Upgrader{Subprotocols: []string{"SPDY/3.1+portforward.k8s.io"}}
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		connection, err := spdy.NewServerConnection(portforward.NewTunnelingConnection("server", conn), take)
		if err != nil {
			return
		}
		o.connect("websocket", connection, streams)
		return
	}
	if _, err := httpstream.Handshake(r, w, []string{"portforward.k8s.io"}); err != nil {
		return
	}
	o.connect("spdy", spdy.NewResponseUpgrader().UpgradeResponse(w, r, take), streams)
}

// connect joins each pair of streams with the desk.
func (o *operated) connect(way string, connection httpstream.Connection, streams <-chan httpstream.Stream) {
	defer func() { _ = connection.Close() }()
	var problems httpstream.Stream
	for {
		select {
		case <-connection.CloseChan():
			return
		case stream := <-streams:
			if stream.Headers().Get("streamType") == "error" {
				problems = stream
				continue
			}
			o.forwarded = append(o.forwarded, way+" "+stream.Headers().Get("port"))
			if o.refuses {
				_, _ = io.WriteString(problems, "error forwarding port 8083 to pod: dial tcp4 127.0.0.1:8083: connect: connection refused")
				_ = problems.Close()
				_ = stream.Close()
				continue
			}
			target, err := net.Dial("tcp", o.address)
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(target, stream); _ = target.Close() }()
			go func() { _, _ = io.Copy(stream, target); _ = stream.Close(); _ = problems.Close() }()
		}
	}
}

var _ = Describe("rostra inbox", func() {
	const table = `ID         CHANNEL            WHAT             WAITS   STATE        STEP     TOLD                   NEXT
aaaabbbb   social/acme-help   mention (3)      25m     Told, late   step 1   dana, maria (failed)   step 2 in 5m
ccccbbbb   social/acme-news   direct message   3s      Open         -        nobody                 step 1 now
`

	It("shows who waits, who was told and who is next", func() {
		r := receive(waiting())
		Expect(succeed("inbox", "--desk", r.url())).To(Equal(table))
		Expect(r.asked).To(Equal([]string{"GET " + r.address + " /v1/conversations?limit=1000&state=waiting"}))
	})

	It("shows everything where it is to be wide", func() {
		out := succeed("inbox", "--desk", receive(waiting()).url(), "-o", "wide")
		Expect(out).To(And(ContainSubstring(helpID), ContainSubstring("@stranger@social.example"), ContainSubstring("care, rule loud"), ContainSubstring("https://social.example/1"),
			ContainSubstring("customer-care/maria 24m ago, step 1, failed: the mail server refused; customer-care/dana 24m ago, step 1, by email")))
	})

	It("is JSON for programs", func() {
		out := succeed("inbox", "--desk", receive(waiting()).url(), "-o", "json")
		answer := desk.Conversations{}
		Expect(json.Unmarshal([]byte(out), &answer)).To(Succeed())
		Expect(answer).To(Equal(waiting()))
	})

	It("asks for one channel, and for those that wait no more", func() {
		over := waiting().Conversations[:1]
		over[0].State, over[0].NextAt = conversation.Acknowledged, time.Time{}
		over[0].Response = &desk.Response{Kind: conversation.ByAcknowledgement, At: noon.Add(-20 * time.Minute), By: "customer-care/dana"}
		r := receive(desk.Conversations{At: noon, Total: 1, Conversations: over})
		Expect(succeed("inbox", "social/acme-help", "--all", "--desk", r.url())).To(And(ContainSubstring("Acknowledged by customer-care/dana"), ContainSubstring(" 5m "), HaveSuffix(" -\n")))
		Expect(r.asked).To(Equal([]string{"GET " + r.address + " /v1/conversations?channel=social%2Facme-help&limit=1000&state=all"}))
	})

	It("says where nobody waits, and where more do than it shows", func() {
		r := rostra("inbox", "--desk", receive(desk.Conversations{At: noon}).url())
		Expect(r).To(Equal(result{cli.ExitOK, "", "Nobody waits for an answer.\n"}))
	})

	DescribeTable("says how many it does not show, and what helps", func(expected string, args ...string) {
		many := waiting()
		many.Total = 1500
		r := rostra(append([]string{"inbox", "--desk", receive(many).url()}, args...)...)
		Expect(r).To(Equal(result{cli.ExitOK, table, expected + "\n"}))
	},
		Entry("of all channels", "1498 younger ones are not shown: name a channel."),
		Entry("of one channel", "1498 younger ones are not shown: they move up as these are answered.", "social/acme-help"),
		Entry("of those too that wait no more", "1498 more are not shown, those that wait come first: name a channel.", "--all"),
		Entry("of those too, in one channel", "1498 more are not shown, those that wait come first.", "--all", "social/acme-help"),
	)

	It("does not say that a telling failed of which nobody knows", func() {
		unsure := waiting()
		told := &unsure.Conversations[0].Tellings
		(*told)[0].Unsure, (*told)[0].Problem = true, "no answer came"
		*told = append(*told,
			desk.Telling{At: noon.Add(-2 * time.Minute), Step: "step 2", Team: "customer-care", Member: "maria", Problem: "no such mailbox"},
			desk.Telling{At: noon.Add(-time.Minute), Step: "step 2", Team: "customer-care", Member: "dana", Unsure: true, Problem: "no answer came"},
			desk.Telling{At: noon.Add(-time.Minute), Step: "step 2", Team: "customer-care", Member: "nina", Problem: "no such mailbox"},
			desk.Telling{At: noon, Step: "step 3", Team: "customer-care", Member: "nina", Unsure: true, Problem: "no answer came"},
		)
		Expect(succeed("inbox", "--desk", receive(unsure).url())).To(ContainSubstring("  dana, maria (not known), nina (not known)  "))
		Expect(succeed("inbox", "--desk", receive(unsure).url(), "-o", "wide")).To(And(
			ContainSubstring("customer-care/maria 24m ago, step 1, not known: no answer came; customer-care/dana"),
			ContainSubstring("customer-care/maria 2m ago, step 2, failed: no such mailbox;"),
		))
		Expect(succeed("inbox", "--desk", receive(unsure).url(), "-o", "json")).To(ContainSubstring(`"unsure": true`))
	})

	It("lets nothing of a stranger's command the terminal", func() {
		evil := waiting()
		evil.Conversations[0].Author, evil.Conversations[0].Tellings[0].Problem = "\x1b[2J\u202e@evil\x9b", "refused\r\x1b]0;pwned\x07"
		evil.Conversations[0].ID = "\x1b[1mabcdefgh"
		for _, format := range []string{"table", "wide", "json"} {
			out := succeed("inbox", "--desk", receive(evil).url(), "-o", format)
			Expect(out).NotTo(Or(ContainSubstring("\x1b"), ContainSubstring("\\u001b"), ContainSubstring("\u202e"), ContainSubstring("\x07"), ContainSubstring("\r"), ContainSubstring("\x9b")))
		}
	})

	DescribeTable("does not understand", func(expected string, args ...string) {
		r := rostra(append([]string{"inbox"}, args...)...)
		Expect(r.code).To(Equal(cli.ExitUsage))
		Expect(r.stderr).To(Equal("rostra: " + expected + "\nSee \"rostra inbox --help\".\n"))
	},
		Entry("a desk elsewhere", `--desk "http://10.1.2.3:8083" is no URL on this machine: write http://127.0.0.1:8083`, "--desk", "http://10.1.2.3:8083"),
		Entry("a desk that is no URL", `--desk "127.0.0.1:8083" is no URL on this machine: write http://127.0.0.1:8083`, "--desk", "127.0.0.1:8083"),
		Entry("a desk and a cluster", "--context is for the cluster, and --desk for a port that is forwarded already: leave one of them out", "--desk", "http://127.0.0.1:1", "--context", "x"),
		Entry("a channel without a namespace at a desk", "with --desk, name the namespace too: NAMESPACE/acme-help", "acme-help", "--desk", "http://127.0.0.1:1"),
		Entry("a namespace without a channel", "-n goes with a channel: name one, or leave it out to see those of all namespaces", "-n", "social"),
	)

	DescribeTable("says what the desk says", func(status int, answer any, expected string) {
		r := receive(answer)
		r.status = status
		got := rostra("inbox", "--desk", r.url())
		Expect(got.code).To(Equal(cli.ExitFailure))
		Expect(got.stderr).To(Equal("rostra: read the inbox: " + expected + "\n"))
	},
		Entry("where it is not in order", 503, desk.Refusal{Problem: "the operator has just started\x1b[2J"}, "the operator has just started[2J"),
		Entry("where it is something else", 404, "<html>", "the operator answered 404 Not Found: is it rostra that listens there, and of the same version?"),
		Entry("where it is no JSON", 200, "<html>", "the operator's answer cannot be read: is this the same version of rostra as the operator's?"),
	)

	It("says how to forward the port where nobody answers", func() {
		Expect(rostra("inbox", "--desk", "http://127.0.0.1:1").stderr).To(And(HavePrefix("rostra: read the inbox: nobody answers at http://127.0.0.1:1: "),
			ContainSubstring("kubectl port-forward -n rostra-system deploy/rostra 8083")))
	})

	DescribeTable("forwards a port of the operator's pod", func(newer bool, way string) {
		o, config := operate(waiting())
		o.websocket = newer
		Expect(succeed("inbox", "acme-help", "--kubeconfig", config)).To(Equal(table))
		Expect(o.asked).To(Equal([]string{"GET 127.0.0.1 /v1/conversations?channel=social%2Facme-help&limit=1000&state=waiting"}))
		Expect(o.forwarded).To(Equal([]string{way + " 8083"}))
	},
		Entry("by WebSocket", true, "websocket"),
		Entry("by SPDY, where the API server knows nothing else", false, "spdy"),
	)

	DescribeTable("cannot reach the operator", func(change func(*operated), messages ...string) {
		o, config := operate(waiting())
		change(o)
		r := rostra("inbox", "--kubeconfig", config)
		Expect(r.code).To(Equal(cli.ExitFailure))
		for _, message := range messages {
			Expect(r.stderr).To(ContainSubstring(message))
		}
		Expect(o.asked).To(BeEmpty())
	},
		Entry("which is not there", func(o *operated) { o.pods = "" }, "no pod of the operator is in namespace rostra-system", "--operator-namespace"),
		Entry("which is not ready", func(o *operated) {
			o.pods = `{"metadata": {"name": "rostra-1"}, "status": {"phase": "Pending"}}, {"metadata": {"name": "rostra-2"}, "status": {"phase": "Running"}},` +
				strings.Replace(readyPod, `"name": "rostra-1"`, `"name": "rostra-3", "deletionTimestamp": "2026-11-22T12:00:00Z"`, 1)
		}, "no pod of the operator is ready", "rostra-1 is pending, rostra-2 is running, but not ready, rostra-3 is being deleted", "kubectl describe pod -n rostra-system rostra-1"),
		Entry("whose pods one may not list", func(o *operated) { o.forbids = "/pods" }, "you may not list pods in namespace rostra-system", "rostra-inbox-reader", `User "dana" cannot`),
		Entry("whose ports one may not forward", func(o *operated) { o.forbids = "/portforward" }, "you may not forward ports of pods (get and create pods/portforward) in namespace rostra-system", "rostra-inbox-reader"),
		Entry("in which nothing listens", func(o *operated) { o.refuses = true }, "nothing listens on port 8083 of pod rostra-system/rostra-1", "--inbox-dir", "--inbox-bind-address=0"),
	)

	It("looks in the namespace that is named", func() {
		_, config := operate(waiting())
		Expect(rostra("inbox", "--kubeconfig", config, "--operator-namespace", "elsewhere").stderr).To(ContainSubstring("in namespace elsewhere"))
	})

	It("says how to name a cluster where there is none", func() {
		GinkgoT().Setenv("KUBECONFIG", filepath.Join(GinkgoT().TempDir(), "none"))
		GinkgoT().Setenv("KUBERNETES_SERVICE_HOST", "")
		Expect(rostra("inbox").stderr).To(And(HavePrefix("rostra: find the cluster: "), HaveSuffix("; name one with --kubeconfig, or a forwarded port with --desk\n")))
	})
})

var _ = Describe("rostra ack", func() {
	// has is the conversation once somebody has it.
	has := func(by string) desk.Conversation {
		c := waiting().Conversations[0]
		c.State, c.Response = conversation.Acknowledged, &desk.Response{Kind: conversation.ByAcknowledgement, At: noon, By: by}
		return c
	}

	It("says who has it, and where to answer", func() {
		r := receive(has("customer-care/dana"))
		Expect(succeed("ack", "AAAAbbbb", "--as", "customer-care/dana", "--desk", r.url())).To(Equal(
			helpID + " of social/acme-help: customer-care/dana has it.\nAnswer it at https://social.example/1\n"))
		Expect(r.asked).To(Equal([]string{"POST " + r.address + ` /v1/conversations/aaaabbbb/acknowledge {"by":"customer-care/dana"}`}))
	})

	It("is done in the name that the cluster knows", func() {
		o, config := operate(has("dana@acme.example"))
		Expect(succeed("ack", "aaaabbbb", "--kubeconfig", config)).To(HavePrefix(helpID + " of social/acme-help: dana@acme.example has it.\n"))
		Expect(o.asked).To(Equal([]string{`POST 127.0.0.1 /v1/conversations/aaaabbbb/acknowledge {"by":"dana@acme.example"}`}))
	})

	It("asks for a name where the cluster knows none", func() {
		o, config := operate(has(""))
		o.nobody = true
		r := rostra("ack", "aaaabbbb", "--kubeconfig", config)
		Expect(r.code).To(Equal(cli.ExitFailure))
		Expect(r.stderr).To(And(ContainSubstring("ask the cluster who you are"), ContainSubstring("--as TEAM/MEMBER")))
		Expect(o.asked).To(BeEmpty())
	})

	It("says who was faster", func() {
		r := receive(desk.Refusal{Problem: "customer-care/maria has it already, since 2026-11-22T11:10:00Z", Conversation: new(has("customer-care/maria"))})
		r.status = http.StatusConflict
		Expect(rostra("ack", "aaaabbbb", "--as", "dana", "--desk", r.url())).To(Equal(result{
			cli.ExitFailure, "", "rostra: acknowledge aaaabbbb: customer-care/maria has it already, since 2026-11-22T11:10:00Z\n",
		}))
	})

	DescribeTable("does not understand", func(expected string, args ...string) {
		r := rostra(append([]string{"ack"}, args...)...)
		Expect(r.code).To(Equal(cli.ExitUsage))
		Expect(r.stderr).To(Equal("rostra: " + expected + "\nSee \"rostra ack --help\".\n"))
	},
		Entry("no conversation", "name a conversation: rostra ack ID [flags]"),
		Entry("too little of an ID", "\"aaa\" is no conversation's ID: copy at least 4 characters of one from `rostra inbox`", "aaa"),
		Entry("what is no ID", "\"../x/y\" is no conversation's ID: copy at least 4 characters of one from `rostra inbox`", "../x/y"),
		Entry("nobody", "--as names nobody", "aaaabbbb", "--as", " "),
		Entry("a desk without a name", "with --desk, say who has it: --as TEAM/MEMBER", "aaaabbbb", "--desk", "http://127.0.0.1:1"),
	)
})

var _ = Describe("The address of the desk", func() {
	DescribeTable("is this machine's alone", func(address string, allowed bool) {
		r := execute(cli.Config{Operate: func(context.Context, cli.ManagerOptions) error { return nil }}, "", "manager", "--zap-log-level=error", "--inbox-bind-address="+address)
		if allowed {
			Expect(r.code).To(Equal(cli.ExitOK), r.stderr)
			return
		}
		Expect(r.code).To(Equal(cli.ExitUsage))
		Expect(r.stderr).To(HavePrefix("rostra: --inbox-bind-address: "))
	},
		Entry("by default", "127.0.0.1:8083", true), Entry("or none", "0", true), Entry("but not everywhere", ":8083", false), Entry("nor elsewhere", "10.1.2.3:8083", false),
	)
})

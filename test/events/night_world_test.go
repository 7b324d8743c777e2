// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"mime"
	"mime/quotedprintable"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/desk"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/forward"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/test/alertmanager"
	"github.com/rostra-dev/rostra/test/smtp"
)

// nightWorld is a company in Sydney, at twenty past midnight: its responders are
// told by Alertmanager, and its managers by mail. Its night is one that is over,
// since Alertmanager goes by the machine's clock, and what ended in its future
// has not ended.
type nightWorld struct {
	*mastodonWorld

	zone   *time.Location
	alerts *alertmanager.Server
	mail   *smtp.Server
	posts  int
}

func newNightWorld(ctx context.Context) *nightWorld {
	GinkgoHelper()
	n := &nightWorld{}
	var err error
	n.zone, err = time.LoadLocation("Australia/Sydney")
	Expect(err).NotTo(HaveOccurred())
	n.alerts, err = alertmanager.Start(ctx, GinkgoWriter)
	if errors.Is(err, alertmanager.ErrUnavailable) {
		Skip(err.Error())
	}
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(n.alerts.Stop()).To(Succeed()) })
	n.mail, err = smtp.Start(smtp.Options{Clear: true})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(n.mail.Stop()).To(Succeed()) })
	n.mastodonWorld = newMastodonWorldOn(ctx, func(w *world) { w.clock.advance(time.Until(n.lastNight())) })
	n.reachable(ctx, "care")
	n.people(ctx, "care", "maria", n.member("nia", "alerts"), n.member("dana", "alerts"))
	n.newTeam(ctx, "board", "ceo")
	n.rota(ctx, n.byDay(), n.always("night", "care", "nia"))
	return n
}

// lastNight is twenty past midnight of a weekday in Sydney, some 30 hours ago.
func (n *nightWorld) lastNight() time.Time {
	local := time.Now().Add(-30 * time.Hour).In(n.zone)
	for local.Weekday() == time.Saturday || local.Weekday() == time.Sunday {
		local = local.AddDate(0, 0, -1)
	}
	return time.Date(local.Year(), local.Month(), local.Day(), 0, 20, 0, 0, n.zone)
}

// reachable puts the addresses of the ways that there are into the namespace of
// a team.
func (n *nightWorld) reachable(ctx context.Context, team string) {
	GinkgoHelper()
	if n.alerts != nil {
		n.secret(ctx, n.in(team), "alerts", map[string]string{"url": "alertmanager+" + n.alerts.URL()})
	}
	n.secret(ctx, n.in(team), "mail", map[string]string{"url": "smtp://" + n.mail.Address() + "?tls=none"})
}

func (*nightWorld) member(name, way string) v1alpha1.TeamMember {
	return v1alpha1.TeamMember{
		Name: name, Email: name + "@acme.example",
		Notify: []v1alpha1.NotifyTarget{{SecretRef: v1alpha1.SecretKeyReference{Name: way, Key: "url"}}},
	}
}

// people are a manager, who is told by mail, and others.
func (n *nightWorld) people(ctx context.Context, name, manager string, others ...v1alpha1.TeamMember) {
	GinkgoHelper()
	n.editTeam(ctx, name, func(t *v1alpha1.Team) {
		t.Spec.Manager = manager
		t.Spec.Members = append([]v1alpha1.TeamMember{n.member(manager, "mail")}, others...)
	})
}

func (n *nightWorld) editTeam(ctx context.Context, name string, change func(*v1alpha1.Team)) {
	GinkgoHelper()
	team := &v1alpha1.Team{}
	Expect(parts.client.Get(ctx, client.ObjectKey{Name: n.in(name)}, team)).To(Succeed())
	before := team.DeepCopy()
	change(team)
	Expect(parts.client.Patch(ctx, team, client.MergeFrom(before))).To(Succeed())
}

// newTeam makes a team whose manager is told by mail.
func (n *nightWorld) newTeam(ctx context.Context, name, manager string) {
	GinkgoHelper()
	n.create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n.in(name)}})
	n.reachable(ctx, name)
	n.create(ctx, &v1alpha1.Team{
		ObjectMeta: metav1.ObjectMeta{Name: n.in(name)},
		Spec: v1alpha1.TeamSpec{
			Namespace: n.in(name), Manager: manager, Members: []v1alpha1.TeamMember{n.member(manager, "mail")},
			Accepts: []v1alpha1.AcceptedChannels{{Namespace: n.in("social"), Channels: []string{"*"}}},
		},
	})
}

// byDay is dana from nine to five.
func (n *nightWorld) byDay() v1alpha1.RotaLayer {
	layer := n.always("day", "care", "dana")
	layer.Windows = []v1alpha1.WeeklyWindow{{From: "09:00", To: "17:00"}}
	return layer
}

func (n *nightWorld) always(layer, team, member string) v1alpha1.RotaLayer {
	return v1alpha1.RotaLayer{Name: layer, TeamRef: v1alpha1.ClusterReference{Name: n.in(team)}, Members: []string{member}}
}

func (n *nightWorld) rotaKey() client.ObjectKey {
	return client.ObjectKey{Namespace: n.in("social"), Name: "watch"}
}

// rota gives the channel's rota these layers.
func (n *nightWorld) rota(ctx context.Context, layers ...v1alpha1.RotaLayer) {
	GinkgoHelper()
	rota := &v1alpha1.ResponderRota{}
	err := parts.client.Get(ctx, n.rotaKey(), rota)
	if apierrors.IsNotFound(err) {
		n.create(ctx, &v1alpha1.ResponderRota{
			ObjectMeta: metav1.ObjectMeta{Namespace: n.rotaKey().Namespace, Name: n.rotaKey().Name},
			Spec:       v1alpha1.ResponderRotaSpec{TimeZone: n.zone.String(), Layers: layers},
		})
		return
	}
	Expect(err).NotTo(HaveOccurred())
	before := rota.DeepCopy()
	rota.Spec.Layers = layers
	Expect(parts.client.Patch(ctx, rota, client.MergeFrom(before))).To(Succeed())
}

func (n *nightWorld) deleteRota(ctx context.Context) {
	GinkgoHelper()
	rota := &v1alpha1.ResponderRota{ObjectMeta: metav1.ObjectMeta{Namespace: n.rotaKey().Namespace, Name: n.rotaKey().Name}}
	Expect(parts.client.Delete(ctx, rota)).To(Succeed())
}

func (*nightWorld) onDuty(rota string, wait time.Duration) v1alpha1.EscalationStep {
	return v1alpha1.EscalationStep{
		Targets: []v1alpha1.EscalationTarget{{ResponderRotaRef: &v1alpha1.LocalReference{Name: rota}}}, Wait: &metav1.Duration{Duration: wait},
	}
}

func (n *nightWorld) managerOf(team string) v1alpha1.EscalationTarget {
	return v1alpha1.EscalationTarget{TeamRef: &v1alpha1.ClusterReference{Name: n.in(team)}, Role: v1alpha1.RoleManager}
}

// route is: whoever is on duty, and after a time the manager of care, and half an
// hour later that of the board.
func (n *nightWorld) route(ctx context.Context, wait time.Duration, rules ...v1alpha1.EscalationRule) {
	GinkgoHelper()
	n.create(ctx, &v1alpha1.EscalationRoute{
		ObjectMeta: metav1.ObjectMeta{Namespace: n.in("social"), Name: "answer"},
		Spec: v1alpha1.EscalationRouteSpec{
			Rules: rules,
			Steps: []v1alpha1.EscalationStep{
				n.onDuty("watch", wait),
				{Targets: []v1alpha1.EscalationTarget{n.managerOf("care")}, Wait: &metav1.Duration{Duration: 30 * time.Minute}},
			},
			Fallback: n.managerOf("board"),
		},
	})
}

// answered is a channel that is on the rota and the route.
func (*nightWorld) answered(c *v1alpha1.SocialChannel) {
	c.Spec.ResponderRotaRef = &v1alpha1.LocalReference{Name: "watch"}
	c.Spec.EscalationRouteRef = &v1alpha1.LocalReference{Name: "answer"}
}

// promises a first response.
func (n *nightWorld) promises(ctx context.Context, within time.Duration) {
	GinkgoHelper()
	policy := &v1alpha1.ContentPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: n.in("promise")},
		Spec: v1alpha1.ContentPolicySpec{
			ChannelSelector:   &metav1.LabelSelector{},
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: n.in("social")}},
			Response:          &v1alpha1.ResponsePolicy{FirstResponse: &metav1.Duration{Duration: within}},
		},
	}
	n.create(ctx, policy)
	DeferCleanup(func(ctx context.Context) { Expect(parts.client.Delete(ctx, policy)).To(Succeed()) })
}

// writes is what a stranger writes to the channel, as the gateway stores it. It
// gives the ID of the post.
func (n *nightWorld) writes(ctx context.Context, text string) string {
	GinkgoHelper()
	n.posts++
	post := fmt.Sprintf("post-%d", n.posts)
	n.put(ctx, event.Event{
		ID: "mention-" + post, Kind: event.Mention, Text: text, PostID: post, ThreadID: post, URL: "https://pub.example/" + post,
		Actor: event.Actor{ID: "stranger", Handle: "troll@pub.example"},
	})
	return post
}

// replies is what the account writes.
func (n *nightWorld) replies(ctx context.Context, to string) {
	GinkgoHelper()
	n.put(ctx, event.Event{ID: "own-" + to, Kind: event.OwnPost, PostID: "own-" + to, InReplyTo: to, ThreadID: to})
}

func (n *nightWorld) put(ctx context.Context, e event.Event) {
	GinkgoHelper()
	channel := n.get(ctx, "help")
	e.Platform, e.AccountID, e.Channel, e.ChannelUID = "Mastodon", n.account.ID, n.fullName("help"), string(channel.UID)
	e.OccurredAt, e.ReceivedAt = n.clock.Now(), n.clock.Now()
	Expect(n.inbox.Put(ctx, e)).To(Succeed())
}

// fullName is a channel as namespace/name.
func (n *nightWorld) fullName(channel string) string { return n.in("social") + "/" + channel }

// letter is a mail as its reader sees it.
type letter struct{ To, Subject, Body string }

// letters to somebody, in order.
func (n *nightWorld) letters(to string) []letter {
	GinkgoHelper()
	letters := []letter{}
	for _, sent := range n.mail.Mails() {
		parsed, err := mail.ReadMessage(bytes.NewReader(sent.Data))
		Expect(err).NotTo(HaveOccurred())
		subject, err := new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject"))
		Expect(err).NotTo(HaveOccurred())
		reader := parsed.Body
		if strings.EqualFold(parsed.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
			reader = quotedprintable.NewReader(reader)
		}
		body, err := io.ReadAll(reader)
		Expect(err).NotTo(HaveOccurred())
		if slices.Contains(sent.To, to+"@acme.example") {
			letters = append(letters, letter{To: to, Subject: subject, Body: string(body)})
		}
	}
	for _, one := range letters {
		n.hides(acknowledgeIn(one.Body))
	}
	return letters
}

// hides remembers the token of a link: whoever has it can say that they have it.
func (n *nightWorld) hides(link string) {
	if token := path.Base(link); link != "" && !slices.Contains(n.secrets, token) {
		n.secrets = append(n.secrets, token)
	}
}

var acknowledgeLink = regexp.MustCompile(`http://[0-9.:]+/ack/[A-Za-z0-9_.~-]+`)

func acknowledgeIn(text string) string { return acknowledgeLink.FindString(text) }

// presses the button of a page to acknowledge, as a browser does.
func (n *nightWorld) presses(ctx context.Context, link string) (status int, page string) {
	GinkgoHelper()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, link, http.NoBody)
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Accept", "text/html")
	request.Header.Set("Origin", n.base)
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	response, err := http.DefaultClient.Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	Expect(err).NotTo(HaveOccurred())
	return response.StatusCode, string(content)
}

// paged are the people for whom Alertmanager shows an alert.
func (n *nightWorld) paged(ctx context.Context) ([]string, error) {
	alerts, err := n.alerts.Alerts(ctx)
	people := []string{}
	for _, alert := range alerts {
		n.hides(alert.Annotations["acknowledge"])
		people = append(people, alert.Labels["member"])
	}
	slices.Sort(people)
	return people, err
}

// lists is what `rostra inbox` asks for.
func (n *nightWorld) lists(ctx context.Context, state string) ([]desk.Conversation, error) {
	query := url.Values{"channel": {n.fullName("help")}, "state": {state}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.desk+desk.Path+"?"+query.Encode(), http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, content)
	}
	if err != nil {
		return nil, err
	}
	var answer desk.Conversations
	err = json.Unmarshal(content, &answer)
	return answer.Conversations, err
}

// told are who was told of the only conversation, in order.
func (n *nightWorld) told(ctx context.Context) ([]string, error) {
	all, err := n.lists(ctx, "all")
	people := []string{}
	for _, one := range all {
		for _, telling := range one.Tellings {
			people = append(people, telling.Member+" by "+telling.Way)
		}
	}
	return people, err
}

// later puts the clock forward by steps, and lets what is due come to pass: a
// process whose clock leaps while it tells somebody takes its own claim for one
// that has ended.
func (n *nightWorld) later(ctx context.Context, by time.Duration) {
	GinkgoHelper()
	const step = 5 * time.Minute
	for ; by > 0; by -= step {
		Eventually(n.settled).WithArguments(ctx).Should(Succeed())
		n.clock.advance(min(by, step))
	}
	Eventually(n.settled).WithArguments(ctx).Should(Succeed())
}

// settled looks whether there is nothing to be done about any conversation now.
func (n *nightWorld) settled(ctx context.Context) error {
	all, err := n.lists(ctx, "all")
	if err != nil {
		return err
	}
	table, err := n.inbox.Table(ctx, inbox.TableOptions{Name: "conversations", MaxValue: 128 << 10}) // as the operator does
	if err != nil {
		return err
	}
	for _, one := range all {
		row, err := table.Get(ctx, one.ID)
		if err != nil {
			return err
		}
		stored := &conversation.Conversation{}
		if err := json.Unmarshal(row.Value, stored); err != nil {
			return err
		}
		if task := stored.Task(n.clock.Now()); stored.Claim != nil || task != conversation.Rest {
			return fmt.Errorf("conversation %s: task %v, claim %v", one.ID, task, stored.Claim)
		}
	}
	return nil
}

// shows waits until the channel's status says of its inbox what it should.
func (n *nightWorld) shows(ctx context.Context, check func(Gomega, *v1alpha1.ChannelInbox)) {
	GinkgoHelper()
	n.pass(ctx, 61*time.Second, "help")
	Eventually(func(g Gomega) {
		shown := n.get(ctx, "help").Status.Inbox
		g.Expect(shown).NotTo(BeNil())
		check(g, shown)
	}).Should(Succeed())
}

// sink is a team's own tool: it takes what is signed for it.
type sink struct {
	*httptest.Server

	secret string

	mu sync.Mutex
	// texts in the order in which they came, and what was refused.
	texts, refused []string
}

// sinkOf makes a sink, and gives it to a team.
func (n *nightWorld) sinkOf(ctx context.Context, team, secret string) *sink {
	GinkgoHelper()
	s := &sink{secret: secret}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(s.take))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	DeferCleanup(s.Close)
	n.secret(ctx, n.in(team), "sink", map[string]string{"url": s.URL + "/hidden-way-of-" + team, "signingSecret": secret})
	n.editTeam(ctx, team, func(t *v1alpha1.Team) {
		t.Spec.EventSink = &v1alpha1.EventSink{SecretRef: v1alpha1.SecretKeyReference{Name: "sink", Key: "url"}}
	})
	return s
}

func (s *sink) take(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	var e struct{ Data forward.Content }
	verifier, err := standardwebhooks.NewWebhook(s.secret)
	if err == nil {
		// The company's clock is not the machine's.
		err = verifier.VerifyIgnoringTimestamp(body, r.Header)
	}
	if err = errors.Join(err, json.Unmarshal(body, &e)); err != nil {
		s.refused = append(s.refused, err.Error())
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	s.texts = append(s.texts, e.Data.Event.Text)
	w.WriteHeader(http.StatusAccepted)
}

func (s *sink) took() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.texts)
}

func (s *sink) wrong() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.refused)
}

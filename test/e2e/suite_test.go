// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package e2e_test runs the whole operator, with the rights that config/rbac
// gives it, against a real Kubernetes API, a real Bluesky server, and a strict
// fake of Mastodon. What counts is what a person would see: whether a login
// with a password is refused.
package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/yaml"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/bluesky"
	"github.com/rostra-dev/rostra/internal/platform/mastodon"
	"github.com/rostra-dev/rostra/test/cluster"
	mastodonfake "github.com/rostra-dev/rostra/test/fakes/mastodon"
	"github.com/rostra-dev/rostra/test/pds"
)

// parts are what all specs work with.
var parts struct {
	cluster  *cluster.Cluster
	client   client.Client
	pds      *pds.Server
	proxy    *pds.Proxy
	mastodon *mastodonfake.Server
	log      *journal
	lists    *secretLists
}

func TestEndToEnd(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(60 * time.Second)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	RunSpecs(t, "The operator on real parts")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	var err error
	parts.cluster, err = cluster.Start(ctx, cluster.Options{
		CRDPaths: []string{"../../config/crd/bases"}, ControllerManager: true, Log: GinkgoWriter,
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(parts.cluster.Stop)
	parts.pds, err = pds.Start(ctx, pds.Options{Log: GinkgoWriter})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(parts.pds.Stop)
	parts.proxy, err = pds.NewProxy(parts.pds.URL())
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(parts.proxy.Close)
	parts.mastodon = mastodonfake.New()
	DeferCleanup(parts.mastodon.Close)

	scheme, err := controllers.NewScheme()
	Expect(err).NotTo(HaveOccurred())
	Expect(rbacv1.AddToScheme(scheme)).To(Succeed())
	parts.client, err = client.New(parts.cluster.Config(), client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	startOperator(ctx)
	createPlatforms(ctx)
}, NodeTimeout(30*time.Minute))

// startOperator runs the operator as a user who has no right but those of the
// role that is shipped.
func startOperator(ctx context.Context) {
	role := &rbacv1.ClusterRole{}
	content, err := os.ReadFile("../../config/rbac/role.yaml")
	Expect(err).NotTo(HaveOccurred())
	Expect(yaml.UnmarshalStrict(content, role)).To(Succeed())
	Expect(parts.client.Create(ctx, role)).To(Succeed())
	Expect(parts.client.Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "rostra"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: "rostra"}},
	})).To(Succeed())
	config, _, err := parts.cluster.UserConfig("rostra")
	Expect(err).NotTo(HaveOccurred())
	parts.lists = &secretLists{}
	config.Wrap(parts.lists.around)
	parts.log = &journal{}
	log.SetLogger(zap.New(zap.WriteTo(io.MultiWriter(parts.log, GinkgoWriter)), zap.UseDevMode(true)))

	outbound, err := httpx.New(httpx.Options{UserAgent: "rostra-test", AllowedPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Timeout: 3 * time.Second})
	Expect(err).NotTo(HaveOccurred())
	running, stop := context.WithCancel(context.Background())
	mgr, err := controllers.NewManager(running, config, controllers.Options{
		Platforms: platform.Registry{
			string(v1alpha1.PlatformBluesky):  bluesky.NewFactory(outbound, clock.RealClock{}),
			string(v1alpha1.PlatformMastodon): mastodon.NewFactory(outbound, clock.RealClock{}),
		},
		MetricsAddress: "0", ProbeAddress: "0",
	})
	Expect(err).NotTo(HaveOccurred())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(running) }()
	DeferCleanup(func() {
		stop()
		Eventually(done).Should(Receive(BeNil()))
	})
}

func createPlatforms(ctx context.Context) {
	everywhere := &metav1.LabelSelector{}
	Expect(parts.client.Create(ctx, &v1alpha1.SocialPlatform{
		ObjectMeta: metav1.ObjectMeta{Name: "bluesky"},
		Spec: v1alpha1.SocialPlatformSpec{
			Type: v1alpha1.PlatformBluesky, Bluesky: &v1alpha1.BlueskyPlatform{Service: parts.proxy.URL()}, AllowedNamespaces: everywhere,
		},
	})).To(Succeed())
	Expect(parts.client.Create(ctx, &v1alpha1.SocialPlatform{
		ObjectMeta: metav1.ObjectMeta{Name: "mastodon"},
		Spec: v1alpha1.SocialPlatformSpec{
			Type: v1alpha1.PlatformMastodon, Mastodon: &v1alpha1.MastodonPlatform{Server: parts.mastodon.URL()}, AllowedNamespaces: everywhere,
		},
	})).To(Succeed())
}

// secretLists keeps the lists and watches of Secrets that the operator makes,
// by what it accepts as an answer.
type secretLists struct {
	mu       sync.Mutex
	accepted []string
}

func (l *secretLists) around(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/secrets") {
			l.mu.Lock()
			l.accepted = append(l.accepted, r.Header.Get("Accept"))
			l.mu.Unlock()
		}
		return next.RoundTrip(r)
	})
}

func (l *secretLists) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.accepted)
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (t roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// journal keeps what the operator logs.
type journal struct {
	mu      sync.Mutex
	content bytes.Buffer
}

// Write implements io.Writer.
func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.content.Write(line)
}

// String gives all that was logged.
func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.content.String()
}

// company is what one spec works with: namespaces and two teams.
type company struct {
	name string
}

var companies int

func newCompany(ctx context.Context) *company {
	GinkgoHelper()
	companies++
	c := &company{name: fmt.Sprintf("c%d", companies)}
	for _, namespace := range []string{"social", "marketing", "care"} {
		Expect(parts.client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: c.in(namespace)}})).To(Succeed())
	}
	for name, members := range map[string][]string{"marketing": {"bob", "eve"}, "care": {"maria", "dana"}} {
		team := &v1alpha1.Team{
			ObjectMeta: metav1.ObjectMeta{Name: c.in(name)},
			Spec: v1alpha1.TeamSpec{
				Namespace: c.in(name), Manager: members[0],
				Accepts: []v1alpha1.AcceptedChannels{{Namespace: c.in("social"), Channels: []string{"*"}}},
			},
		}
		for _, member := range members {
			team.Spec.Members = append(team.Spec.Members, v1alpha1.TeamMember{Name: member, Email: member + "@acme.example"})
		}
		Expect(parts.client.Create(ctx, team)).To(Succeed())
	}
	return c
}

func (c *company) in(name string) string { return c.name + "-" + name }

func (c *company) source(ctx context.Context, data map[string]string) {
	GinkgoHelper()
	Expect(parts.client.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: c.in("social"), Name: "help-source"}, StringData: data,
	})).To(Succeed())
}

func (c *company) channel(platformName, handle string) *v1alpha1.SocialChannel {
	return &v1alpha1.SocialChannel{
		ObjectMeta: metav1.ObjectMeta{Namespace: c.in("social"), Name: "help"},
		Spec: v1alpha1.SocialChannelSpec{
			PlatformRef: v1alpha1.ClusterReference{Name: platformName},
			Handle:      handle,
			OwnerRef:    v1alpha1.ClusterReference{Name: c.in("marketing")},
			Credentials: v1alpha1.ChannelCredentials{
				SourceSecretRef: v1alpha1.SecretReference{Name: "help-source"},
				Delivery:        v1alpha1.CredentialDelivery{SecretName: "help"},
				Rotation:        &v1alpha1.CredentialRotation{Interval: &metav1.Duration{Duration: 720 * time.Hour}, Overlap: &metav1.Duration{}},
			},
		},
	}
}

func (c *company) get(ctx context.Context) *v1alpha1.SocialChannel {
	GinkgoHelper()
	channel := &v1alpha1.SocialChannel{}
	Expect(parts.client.Get(ctx, client.ObjectKey{Namespace: c.in("social"), Name: "help"}, channel)).To(Succeed())
	return channel
}

// edit changes the channel as a person would.
func (c *company) edit(ctx context.Context, change func(*v1alpha1.SocialChannel)) {
	GinkgoHelper()
	channel := c.get(ctx)
	before := channel.DeepCopy()
	change(channel)
	Expect(parts.client.Patch(ctx, channel, client.MergeFrom(before))).To(Succeed())
}

// editTeam changes a team as a person would.
func (c *company) editTeam(ctx context.Context, name string, change func(*v1alpha1.Team)) {
	GinkgoHelper()
	team := &v1alpha1.Team{}
	Expect(parts.client.Get(ctx, client.ObjectKey{Name: c.in(name)}, team)).To(Succeed())
	before := team.DeepCopy()
	change(team)
	Expect(parts.client.Patch(ctx, team, client.MergeFrom(before))).To(Succeed())
}

// reports waits until a condition of the channel says so, of the generation at
// hand.
func (c *company) reports(ctx context.Context, kind string, state metav1.ConditionStatus, reason string) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		channel := c.get(ctx)
		condition := meta.FindStatusCondition(channel.Status.Conditions, kind)
		g.Expect(condition).NotTo(BeNil())
		g.Expect(condition.ObservedGeneration).To(Equal(channel.Generation))
		g.Expect(condition.Reason).To(Equal(reason), condition.Message)
		g.Expect(condition.Status).To(Equal(state), condition.Message)
	}).Should(Succeed())
}

func (c *company) ready(ctx context.Context) {
	GinkgoHelper()
	c.reports(ctx, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonInOrder)
}

// delivered gives a value of the Secret that a team holds, or nothing.
func (c *company) delivered(ctx context.Context, team, key string) string {
	secret := &corev1.Secret{}
	if err := parts.client.Get(ctx, client.ObjectKey{Namespace: c.in(team), Name: "help"}, secret); err != nil {
		return ""
	}
	return string(secret.Data[key])
}

// logsIn tells whether the Bluesky server takes a password.
func logsIn(ctx context.Context, account pds.Account, password string) bool {
	_, err := parts.pds.CreateSession(ctx, account.DID, password)
	return err == nil
}

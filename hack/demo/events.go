// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	mastodonfake "github.com/rostra-dev/rostra/test/fakes/mastodon"
	"github.com/rostra-dev/rostra/test/pds"
)

// The account that is connected by consent.
const (
	connectedFolder  = "connected"
	connectedChannel = "meridian-mastodon"
	connectedSource  = "meridian-mastodon-source"
	connectedName    = "meridian_air"
	newsroomChannel  = "meridian-newsroom"
	// maxPage bounds a page that the demo's person reads, in bytes.
	maxPage = 1 << 20
)

// receiveEvents connects an account by consent, shows that its events reach Rostra, and that a subscription that somebody
// removes comes back.
func (d *demo) receiveEvents(ctx context.Context) error {
	d.mastodon = mastodonfake.New()
	d.account = d.mastodon.AddAccount(connectedName)
	d.console.notef("A Mastodon server cannot run here, so a strict stand-in written from its documentation does, at %s.", d.mastodon.URL())
	if err := d.declareConnected(ctx); err != nil {
		return err
	}
	if err := d.consent(ctx); err != nil {
		return err
	}
	if err := d.await(ctx, "connected and subscribed", d.settledChannel(connectedChannel)); err != nil {
		return err
	}
	if err := d.show(ctx, "get", "socialchannel", connectedChannel, "-n", socialNamespace, "-o", "jsonpath-as-json={.status.subscription}"); err != nil {
		return err
	}
	token, err := d.connectedToken(ctx)
	if err != nil {
		return err
	}
	d.checks.expect("the subscription is registered at the server", truth(d.mastodon.Subscribed(token), "the server has none"))
	d.suitcase = d.mastodon.Mention(ctx, d.account, mastodonfake.Post{Text: "@meridian_air my suitcase is in Lisbon and I am not"})
	err = d.await(ctx, "a customer's mention arrived, encrypted, signed, and stored before it was acknowledged,", d.eventOf(connectedChannel))
	if err != nil {
		return err
	}
	d.checks.expect("the event that was pushed arrived", d.accepted())
	if err := d.postOwn(ctx); err != nil {
		return err
	}
	return d.removeAndWait(ctx, token)
}

// declareConnected applies the sample, with the address of the server that runs here.
func (d *demo) declareConnected(ctx context.Context) error {
	name := company + "/" + connectedFolder + "/mastodon.yaml"
	content, err := d.workspace.files.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read the sample: %w", err)
	}
	content = []byte(strings.ReplaceAll(string(content), "https://mastodon.example", d.mastodon.URL()))
	if err := d.workspace.files.WriteFile(name, content, 0o600); err != nil {
		return fmt.Errorf("write the server's address: %w", err)
	}
	if err := d.show(ctx, "apply", "-k", company+"/"+connectedFolder); err != nil {
		return err
	}
	err = d.await(ctx, "an address to connect it at is shown", func(ctx context.Context) (string, error) {
		channel, err := d.channel(ctx, connectedChannel)
		if err != nil {
			return "", err
		}
		if channel.Status.Authorization == nil {
			return "status.authorization is not there", nil
		}
		return "", nil
	})
	if err != nil {
		return err
	}
	return d.show(ctx, "get", "socialchannel", connectedChannel, "-n", socialNamespace)
}

// consent is the person who has the account, with a browser.
func (d *demo) consent(ctx context.Context) error {
	if err := d.rostra(ctx, "connect", socialNamespace+"/"+connectedChannel); err != nil {
		return err
	}
	channel, err := d.channel(ctx, connectedChannel)
	if err != nil {
		return err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return fmt.Errorf("open a browser: %w", err)
	}
	browser := &http.Client{Jar: jar, Timeout: kubectlLimit, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	start := channel.Status.Authorization.URL
	if _, _, err := visit(ctx, browser, http.MethodGet, start); err != nil {
		return err
	}
	_, platformPage, err := visit(ctx, browser, http.MethodPost, start)
	if err != nil {
		return err
	}
	back, err := mastodonfake.Consent(ctx, platformPage, connectedName)
	if err != nil {
		return fmt.Errorf("consent at the server: %w", err)
	}
	page, _, err := visit(ctx, browser, http.MethodGet, back)
	if err != nil {
		return err
	}
	d.console.notef("A person opened it, signed in at the server, and consented.")
	d.checks.expect("the account is connected by a person's consent, and the page says so", missing("the page", page, connectedName))
	again, _, err := visit(ctx, browser, http.MethodGet, back)
	d.checks.expect("the same answer a second time connects nothing", errors.Join(err, truth(again != page, "the page is the same")))
	return nil
}

// visit opens a page, and gives it, or where it leads.
func visit(ctx context.Context, browser *http.Client, method, address string) (page, leadsTo string, err error) {
	request, err := http.NewRequestWithContext(ctx, method, address, http.NoBody)
	if err != nil {
		return "", "", fmt.Errorf("open a page: %w", err)
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if from, err := url.Parse(address); err == nil {
			request.Header.Set("Origin", from.Scheme+"://"+from.Host)
		}
	}
	response, err := browser.Do(request)
	if err != nil {
		return "", "", fmt.Errorf("open a page: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(response.Body, maxPage))
	if err != nil {
		return "", "", fmt.Errorf("read a page: %w", err)
	}
	return string(content), response.Header.Get("Location"), nil
}

// connectedToken is what the person's consent gave.
func (d *demo) connectedToken(ctx context.Context) (string, error) {
	secret := &corev1.Secret{}
	if err := d.admin.Get(ctx, types.NamespacedName{Namespace: socialNamespace, Name: connectedSource}, secret); err != nil {
		return "", fmt.Errorf("read the source Secret: %w", err)
	}
	for _, value := range secret.Data {
		d.secrets.add(string(value))
	}
	return string(secret.Data["access-token"]), nil
}

func (d *demo) settledChannel(name string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		channel, err := d.channel(ctx, name)
		if err != nil {
			return "", err
		}
		return unsettled(channel), nil
	}
}

// eventOf says what is lacking until an event of a channel is on record.
func (d *demo) eventOf(name string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		channel, err := d.channel(ctx, name)
		if err != nil {
			return "", err
		}
		if channel.Status.Subscription == nil || channel.Status.Subscription.LastEvent == nil {
			return name + " has no last event", nil
		}
		return "", nil
	}
}

// accepted is nil if the gateway took all that the server pushed.
func (d *demo) accepted() error {
	pushed := d.mastodon.Pushed()
	if len(pushed) == 0 {
		return errors.New("the server has pushed nothing")
	}
	for _, one := range pushed {
		if one.Status != http.StatusCreated {
			return fmt.Errorf("the gateway answered %d", one.Status)
		}
	}
	return nil
}

// postOwn lets a Bluesky account speak, which Rostra sees by asking.
func (d *demo) postOwn(ctx context.Context) error {
	holder, err := d.credential(ctx, "public-relations", newsroomChannel)
	if err != nil {
		return err
	}
	account := pds.Account{DID: holder.identifier, Password: holder.password}
	if _, err := d.bluesky.Post(ctx, account, "Boarding for Lisbon is at gate 12."); err != nil {
		return fmt.Errorf("post: %w", err)
	}
	err = d.await(ctx, "what a Bluesky account posted was seen, at the next poll,", d.eventOf(newsroomChannel))
	if err != nil {
		return err
	}
	d.checks.expect("what cannot be pushed is polled: the real Bluesky server's post was seen", nil)
	return nil
}

// removeAndWait takes the subscription away behind Rostra's back.
func (d *demo) removeAndWait(ctx context.Context, token string) error {
	d.mastodon.ForgetSubscription(token)
	d.console.notef("Somebody removes the subscription at the server. Rostra looks once a minute here.")
	began := time.Now()
	var channel *v1alpha1.SocialChannel
	err := d.await(ctx, "it is back", func(ctx context.Context) (lacking string, err error) {
		channel, err = d.channel(ctx, connectedChannel)
		if err != nil || d.mastodon.Subscribed(token) && channel.Status.Subscription.DriftCount > 0 {
			return "", err
		}
		return "the server has no subscription", nil
	})
	if err != nil {
		return err
	}
	d.console.notef("Put back after %s; on record: %q", short(time.Since(began)), channel.Status.Subscription.DriftMessage)
	d.checks.expect("the subscription is put back, and that it was gone is on record", differs("the count", channel.Status.Subscription.DriftCount, 1))
	return d.show(ctx, "get", "socialchannels", "-A", "-o", "wide")
}

// truth is an error that says what is so instead.
func truth(holds bool, instead string) error {
	if holds {
		return nil
	}
	return errors.New(instead)
}

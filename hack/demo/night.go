// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"net/url"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/test/alertmanager"
	mastodonfake "github.com/rostra-dev/rostra/test/fakes/mastodon"
)

// What the chapter about the night changes: a route waits for a minute at the least.
const (
	mentionsRoute = connectedFolder + "/mentions.yaml"
	inEarnest     = `  - {targets: [{responderRotaRef: {name: care}}], wait: 15m}`
	spedUp        = `  - {targets: [{responderRotaRef: {name: care}}], wait: 1m}`
)

// soon is how fast somebody must be told of what came in.
const soon = 5 * time.Second

// nightShift is a post at night: the person on duty is told and says nothing, their boss is told, the account answers, and
// it is over.
func (d *demo) nightShift(ctx context.Context) error {
	onDuty, err := d.prepareNight(ctx)
	if err != nil {
		return err
	}
	troll, err := d.tellOnDuty(ctx, onDuty)
	if err != nil {
		return err
	}
	if err := d.escalate(ctx); err != nil {
		return err
	}
	if err := d.answer(ctx, troll); err != nil {
		return err
	}
	return d.acknowledge(ctx, onDuty)
}

// prepareNight speeds the route up, and says who is on duty.
func (d *demo) prepareNight(ctx context.Context) (onDuty string, err error) {
	d.console.notef("The route waits for 15 minutes in earnest; for one here.")
	change, err := d.workspace.edit(mentionsRoute, inEarnest, spedUp)
	if err != nil {
		return "", err
	}
	d.console.print(change)
	if err := d.show(ctx, "apply", "-k", company+"/"+connectedFolder); err != nil {
		return "", err
	}
	err = d.await(ctx, "the route is in force, and what the account answers is asked for,", func(ctx context.Context) (string, error) {
		channel, err := d.channel(ctx, connectedChannel)
		if err != nil {
			return "", err
		}
		routed, escalation := meta.IsStatusConditionTrue(channel.Status.Conditions, v1alpha1.ConditionEscalationRouted), channel.Status.Escalation
		if !routed || escalation == nil || !strings.Contains(escalation.Summary, "(1m)") || len(escalation.Steps[0].People) != 1 {
			return "it is not routed yet", nil
		}
		if channel.Status.Subscription == nil || channel.Status.Subscription.OwnPosts == nil {
			return "own posts are not asked for yet", nil
		}
		_, onDuty, _ = strings.Cut(escalation.Steps[0].People[0], "/")
		return "", nil
	})
	if err != nil {
		return "", err
	}
	return onDuty, d.show(ctx, "get", "socialchannel", connectedChannel, "-n", socialNamespace, "-o", "jsonpath={.status.escalation.summary}{'\\n'}")
}

// tellOnDuty lets a troll post, and sees who is told.
func (d *demo) tellOnDuty(ctx context.Context, onDuty string) (mastodonfake.Notification, error) {
	began := time.Now()
	troll := d.mastodon.Mention(ctx, d.account, mastodonfake.Post{Text: "@meridian_air look at this picture of your crew"})
	d.console.notef("Somebody posts something vile. It is pushed to Rostra, encrypted.")
	alert, err := d.alerted(ctx, onDuty+" is told, by a real Alertmanager,", onDuty, began)
	if err != nil {
		return troll, err
	}
	d.console.notef("%s: %s", onDuty, alert.Annotations["summary"])
	d.checks.expect("whoever is on duty hears of a post within seconds, with a link to it",
		errors.Join(truth(time.Since(began) < soon, "it took longer"), missing("the alert", alert.Annotations["link"], "https://")))
	return troll, d.rostra(ctx, "inbox", "--desk", "http://"+d.desk, socialNamespace+"/"+connectedChannel)
}

// alerted waits for an alert of a member that is active and began after an instant.
func (d *demo) alerted(ctx context.Context, what, member string, after time.Time) (found alertmanager.Alert, err error) {
	err = d.await(ctx, what, func(ctx context.Context) (string, error) {
		alerts, err := d.pagers.Alerts(ctx)
		if err != nil {
			return "", err
		}
		for _, alert := range alerts {
			if alert.Labels["member"] == member && alert.Labels["incident"] != "" && alert.StartsAt.After(after) && alert.EndsAt.After(time.Now()) {
				found = alert
				return "", nil
			}
		}
		return fmt.Sprintf("none of %d alerts is %s's", len(alerts), member), nil
	})
	if err == nil && found.Annotations["acknowledge"] != "" {
		d.secrets.add(found.Annotations["acknowledge"])
	}
	return found, err
}

// escalate waits in vain, and sees the manager told.
func (d *demo) escalate(ctx context.Context) error {
	d.console.notef("Nobody answers.")
	began := time.Now()
	var letter *mail.Message
	err := d.await(ctx, "the manager of those whose account it is has mail", func(context.Context) (lacking string, err error) {
		mails := d.mail.Mails()
		if len(mails) == 0 {
			return "no mail", nil
		}
		letter, err = mail.ReadMessage(bytes.NewReader(mails[len(mails)-1].Data))
		return "", err
	})
	if err != nil {
		return err
	}
	d.console.notef("To %s: %s", letter.Header.Get("To"), letter.Header.Get("Subject"))
	d.checks.expect("while nobody answers, the next in the route is told, when it is time",
		errors.Join(truth(time.Since(began) > soon, "it came too early"), missing("the recipient", letter.Header.Get("To"), "oliver@meridian-air.example")))
	return nil
}

// answer lets the account answer, which ends it.
func (d *demo) answer(ctx context.Context, troll mastodonfake.Notification) error {
	d.mastodon.Publish(d.account, mastodonfake.Post{Text: "This is not our crew. The post is reported.", InReplyTo: troll.StatusID})
	d.mastodon.Publish(d.account, mastodonfake.Post{Text: "Your suitcase is on the next flight.", InReplyTo: d.suitcase.StatusID})
	d.console.notef("The account answers, and the one about the suitcase too, in whatever app its owner likes.")
	err := d.await(ctx, "it is over, and the alerts of both are closed,", func(ctx context.Context) (string, error) {
		alerts, err := d.pagers.Alerts(ctx)
		if err != nil {
			return "", err
		}
		for _, alert := range alerts {
			if alert.Labels["incident"] != "" && alert.EndsAt.After(time.Now()) {
				return "an alert is open", nil
			}
		}
		return "", nil
	})
	if err != nil {
		return err
	}
	d.checks.expect("the account's own answer ends it: the alert is closed, and the fallback was never told", truth(len(d.mail.Mails()) == 1, "there is more mail"))
	return d.rostra(ctx, "inbox", "--desk", "http://"+d.desk, "--all", socialNamespace+"/"+connectedChannel)
}

// acknowledge lets the person on duty say that they have it.
func (d *demo) acknowledge(ctx context.Context, onDuty string) error {
	began := time.Now()
	d.mastodon.Mention(ctx, d.account, mastodonfake.Post{Text: "@meridian_air is my flight on time?"})
	alert, err := d.alerted(ctx, onDuty+" is told of a customer's question", onDuty, began)
	if err != nil {
		return err
	}
	link := alert.Annotations["acknowledge"]
	first, err := press(ctx, link)
	if err != nil {
		return err
	}
	d.console.notef("%s follows the link, and presses the button.", onDuty)
	d.checks.expect("a link in the notification says \"I have it\"", differs("the answer", first, http.StatusOK))
	forged, err := press(ctx, link[:len(link)-4]+"AAAA")
	d.checks.expect("a forged link says nothing", errors.Join(err, differs("the answer", forged, http.StatusNotFound)))
	err = d.await(ctx, "the channel shows how it is answered", func(ctx context.Context) (string, error) {
		channel, err := d.channel(ctx, connectedChannel)
		if err != nil {
			return "", err
		}
		if inbox := channel.Status.Inbox; inbox == nil || *inbox.Open != 0 || inbox.FirstResponseP50 == nil {
			return fmt.Sprintf("status.inbox is %v", inbox), nil
		}
		return "", nil
	})
	if err != nil {
		return err
	}
	d.checks.expect("the channel's status says how many wait, and how long first responses take", nil)
	return d.show(ctx, "get", "socialchannel", connectedChannel, "-n", socialNamespace, "-o", "jsonpath-as-json={.status.inbox}")
}

// press is a person who presses the button of a page.
func press(ctx context.Context, link string) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, link, http.NoBody)
	if err != nil {
		return 0, fmt.Errorf("press a button: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "text/html")
	if from, err := url.Parse(link); err == nil {
		request.Header.Set("Origin", from.Scheme+"://"+from.Host)
	}
	client := &http.Client{Timeout: kubectlLimit}
	response, err := client.Do(request)
	if err != nil {
		return 0, fmt.Errorf("press a button: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, maxPage))
	return response.StatusCode, err
}

// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/webpage"
)

// noteUnstored is for an account that may be connected or not.
const noteUnstored = "The platform granted access, and it is not certain that Rostra has it. To start again does no harm."

func pageOffer(subject *Subject, linkEnds time.Time) page {
	where := subject.Platform
	p := page{
		Status: http.StatusOK,
		Title:  "Connect " + webpage.Shown(subject.Handle) + " on " + where,
		Lines: []string{
			"Rostra asks to act for this account, so that its owner can publish with it and is told what happens on it.",
			"The button takes you to " + where + ". Sign in there as this account and say whether you agree. " +
				"You come back here afterwards, and read what came of it. Rostra never sees the account's password.",
			"You have ten minutes at " + where + ". This link is good until " + linkEnds.UTC().Format("15:04 MST on 2 January 2006") + ".",
		},
		Facts:  factsOf(subject),
		Button: "Continue to " + where,
		Form:   formTargets(subject.Server),
	}
	if subject.AccountID != "" {
		p.Facts = append(p.Facts, fact{Name: "Account ID, which must be this one", Value: webpage.Shown(subject.AccountID)})
	}
	return p
}

func pageConnected(subject *Subject, identity platform.Identity, granted platform.Granted) page {
	p := page{
		Status: http.StatusOK,
		Title:  "Connected: " + webpage.Shown(identity.Handle),
		Role:   webpage.RoleStatus,
		Lines:  []string{"The account is connected. You can close this page."},
	}
	connected := *subject
	connected.Handle = identity.Handle
	p.Facts = append(factsOf(&connected), fact{Name: "Account ID", Value: webpage.Shown(identity.AccountID)})
	if name := webpage.Shown(identity.DisplayName); name != "" {
		p.Facts = append(p.Facts, fact{Name: "Name that it shows", Value: name})
	}
	p.Facts = append(p.Facts, fact{Name: "Granted", Value: "everything that the channel needs"})
	if !granted.ExpiresAt.IsZero() {
		p.Facts = append(p.Facts, fact{Name: "Ends, unless Rostra renews it", Value: granted.ExpiresAt.UTC().Format("15:04 MST on 2 January 2006")})
	}
	return p
}

func pageWrongAccount(subject *Subject, identity platform.Identity, gaveBack bool, again string) page {
	is, wanted := webpage.Shown(identity.Handle), webpage.Shown(subject.Handle)
	if is == wanted {
		is, wanted = is+" with the account ID "+webpage.Shown(identity.AccountID), wanted+" with the account ID "+webpage.Shown(subject.AccountID)
	}
	return page{
		Status: http.StatusForbidden,
		Title:  "This is another account",
		Role:   webpage.RoleAlert,
		Lines: []string{
			"This is " + is + "; the channel is for " + wanted + ". Nothing was connected.",
			"Sign out at " + subject.Platform + ", sign in as " + wanted + " and try again.",
			backNote(subject, gaveBack),
		},
		Again: again,
	}
}

func pageMissingScopes(subject *Subject, missing []string, gaveBack bool, again string) page {
	names := make([]string, 0, len(missing))
	for _, name := range missing {
		names = append(names, webpage.Shown(name))
	}
	return page{
		Status: http.StatusForbidden,
		Title:  "Not everything was granted",
		Role:   webpage.RoleAlert,
		Lines: []string{
			"The channel cannot do without what was left out. Nothing was connected.",
			"Start again, and leave everything ticked that " + subject.Platform + " asks about.",
			backNote(subject, gaveBack),
		},
		Facts: []fact{{Name: "Not granted", Value: strings.Join(names, ", ")}},
		Again: again,
	}
}

// backNote says what became of a grant that is not kept.
func backNote(subject *Subject, gaveBack bool) string {
	if gaveBack {
		return "The access that came of it was ended at " + subject.Platform +
			". If Rostra is still among the account's connected applications there, you can remove it."
	}
	return "What you granted is not kept here, and may still stand at " + subject.Platform +
		": remove Rostra there, in the account's settings, among the connected applications."
}

func pageDeclined(subject *Subject, again string) page {
	return page{
		Status: http.StatusForbidden,
		Title:  "You did not agree",
		Role:   webpage.RoleStatus,
		Lines: []string{
			subject.Platform + " says that you did not agree. Nothing was connected, and nothing has changed.",
			"If you did not mean to, start again.",
		},
		Again: again,
	}
}

func pageProviderError(subject *Subject, kind providerError, again string) page {
	where := subject.Platform
	p := page{Status: http.StatusBadGateway, Title: where + " reports an error", Role: webpage.RoleAlert, Again: again}
	switch kind {
	case providerBusy, providerFailed:
		p.Lines = []string{where + " could not do it this time. Nothing was connected. Try again in a few minutes."}
	case providerScope:
		p.Lines = []string{
			where + " does not let this application ask for what the channel needs. Nothing was connected.",
			"Whoever runs Rostra must give the application those permissions at the platform.",
		}
	case providerApplication, providerRequest, providerType:
		p.Lines = []string{
			where + " does not accept the application's request. Nothing was connected.",
			"Whoever runs Rostra must compare the application's settings at the platform with Rostra's: its type, its callback address, its keys.",
		}
	case providerOther:
		p.Lines = []string{where + " sent you back with an error that Rostra does not know. Nothing was connected."}
	}
	p.Facts = []fact{{Name: "Error", Value: string(kind)}}
	return p
}

// pageNotBegun is for a platform to which nobody could be sent; said may be
// empty.
func pageNotBegun(subject *Subject, said string) page {
	return pagePlatform(subject, said, "Nothing was started: "+subject.Platform+" does not let Rostra ask for your consent now. Try again in a few minutes.")
}

// pageNotFinished is for a platform that did not do its part once the person
// had consented; said may be empty.
func pageNotFinished(subject *Subject, said string) page {
	return pagePlatform(subject, said, "Nothing was connected: a request to "+subject.Platform+" failed. What you brought from there is used up: start again, perhaps in a few minutes.")
}

func pagePlatform(subject *Subject, said, line string) page {
	where := subject.Platform
	p := page{
		Status: http.StatusBadGateway,
		Title:  where + " did not go along",
		Role:   webpage.RoleAlert,
		Lines:  []string{line},
	}
	if said != "" {
		p.Facts = []fact{{Name: "What failed", Value: webpage.Shown(said)}}
	}
	return p
}

func pageStore() page {
	return page{
		Status: http.StatusServiceUnavailable,
		Title:  "Rostra is out of order",
		Role:   webpage.RoleAlert,
		Lines:  []string{"Try again in a moment: open your link once more."},
	}
}

func pageNotOffered(why string) page {
	return page{
		Status: http.StatusConflict,
		Title:  "This account cannot be connected here",
		Role:   webpage.RoleAlert,
		Lines:  []string{"Nothing was connected. Whoever runs Rostra can change this:"},
		Facts:  []fact{{Name: "Reason", Value: webpage.Shown(why)}},
	}
}

func pageUnknownChannel() page {
	return page{
		Status:   http.StatusNotFound,
		Title:    "This channel is gone",
		Role:     webpage.RoleAlert,
		Lines:    []string{"The channel that this link is for is no longer there. If it was declared anew, it needs a new link."},
		Commands: newLinkCommands(), CommandsFor: newLinkFor,
	}
}

func pageBadLink() page {
	return page{
		Status:   http.StatusNotFound,
		Title:    "This link is no longer good",
		Role:     webpage.RoleAlert,
		Lines:    []string{"It was cut short on the way, or it was not made by this Rostra."},
		Commands: newLinkCommands(), CommandsFor: newLinkFor,
	}
}

func pageExpiredLink() page {
	return page{
		Status:   http.StatusGone,
		Title:    "This link is no longer good",
		Role:     webpage.RoleAlert,
		Lines:    []string{"Its time is over."},
		Commands: newLinkCommands(), CommandsFor: newLinkFor,
	}
}

// newLinkFor says what newLinkCommands are for.
const newLinkFor = "For a new link, run one of these, or ask whoever runs Rostra for you:"

func newLinkCommands() []string {
	return []string{
		"rostra connect NAMESPACE/CHANNEL",
		"kubectl get socialchannel -n NAMESPACE CHANNEL -o jsonpath={.status.authorization.url}",
	}
}

func pageMalformed(again string) page {
	return refusedAnswer(http.StatusBadRequest, "Something is wrong with this answer",
		"What your browser brought from the platform is incomplete or garbled. Nothing was connected.", again)
}

func pageForged() page {
	return refusedAnswer(http.StatusBadRequest, "This answer was not asked for",
		"It belongs to nothing that was begun here. Nothing was connected.", "")
}

func pageForeign() page {
	return refusedAnswer(http.StatusForbidden, "This was begun in another browser",
		"Finish in the browser in which you began, and let it keep cookies; or begin anew in this one. Nothing was connected.", "")
}

func pageTooLate(again string) page {
	return refusedAnswer(http.StatusGone, "This took too long",
		"You came back more than ten minutes after you began. Nothing was connected.", again)
}

func pageUsed(again string) page {
	return refusedAnswer(http.StatusGone, "This answer was used already",
		"It works once. If you have loaded the page again, what came of it the first time still holds; otherwise somebody has begun anew since.", again)
}

// refusedAnswer is for what a browser brought and nobody goes on with.
func refusedAnswer(status int, title, line, again string) page {
	return page{
		Status: status, Title: title, Role: webpage.RoleAlert,
		Lines: []string{line, "To try again, open the link that you were given."}, Again: again,
	}
}

func pageCrossSite() page {
	return page{
		Status: http.StatusForbidden,
		Title:  "This was not started from here",
		Role:   webpage.RoleAlert,
		Lines:  []string{"Another site tried to start this. Nothing was started. Open the link that you were given, and press the button there."},
	}
}

func pageForm() page {
	return page{
		Status: http.StatusRequestEntityTooLarge,
		Title:  "This form cannot be read",
		Role:   webpage.RoleAlert,
		Lines:  []string{"Nothing was started. Open the link that you were given, and press the button there."},
	}
}

func pageRateLimited() page {
	return page{
		Status: http.StatusTooManyRequests,
		Title:  "Too many attempts",
		Role:   webpage.RoleAlert,
		Lines:  []string{"This was started too often in a short time. Wait a minute, open your link and try again."},
	}
}

func pageMethod(allowed string) page {
	return page{
		Status: http.StatusMethodNotAllowed,
		Title:  "This is for browsers",
		Role:   webpage.RoleAlert,
		Lines:  []string{"Open the link that you were given in a browser."},
		Allow:  allowed,
	}
}

func factsOf(subject *Subject) []fact {
	facts := []fact{{Name: "Account", Value: webpage.Shown(subject.Handle)}, {Name: "Platform", Value: subject.Platform}}
	if server, err := url.Parse(subject.Server); err == nil && server.Host != "" {
		facts = append(facts, fact{Name: "Server", Value: server.Host})
	}
	return append(facts, fact{Name: "Owner", Value: "team " + webpage.Shown(subject.Owner)}, fact{Name: "Channel", Value: subject.Channel})
}

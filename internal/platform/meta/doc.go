// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package meta adapts Facebook Pages, by Meta's Graph API, to the platform
// ports.
//
// Rostra acts as a Meta app of the company's own, which should serve nothing
// else: an app has one webhook callback for all Pages, and Subscribe makes that
// Rostra's, unless it leads to another system, at another origin than the
// gateway's. Fields that others have subscribed with the app stay, at the app and
// at the Page. The source credential is the access token of a person who manages
// the Page, of a system user, or of the Page itself. What is delivered is always
// a token of the one Page.
//
// # What ends when
//
// A person's token from a browser lasts an hour or two. Rostra exchanges it for
// one of about 60 days (fb_exchange_token), keeps that in the account's session,
// derives the Page's token from it and keeps that, too. From then on the source
// credential itself may lapse; the session is what counts, and a session that is
// lost has to be consented to again. Three times matter:
//
//   - The Page token derived from a long-lived user token has no end. ExpiresAt
//     is then zero. Where debug_token names an end for it, ExpiresAt is that.
//   - The user token ends after about 60 days. Without it the Page token goes on
//     to work, but none can be derived anew once it is invalidated. The adapter
//     exchanges the user token again two weeks before its end, at most once a
//     day: Renews is true as long as that can be tried, and RenewAt is when.
//   - Meta ends an app's access to a person's data 90 days after that person was
//     last active (data_access_expires_at). No exchange moves that: a person must
//     consent again. Within 30 days of it, Renews is false and ExpiresAt is that
//     time, so that somebody is asked while there is time.
//
// Tokens of system users end neither way as a rule; nothing is renewed then.
//
// # Permissions
//
// A channel needs pages_show_list, pages_read_engagement, pages_manage_posts,
// pages_manage_metadata and pages_read_user_content for its Page; Verify fails
// with InsufficientScope and the names of those that are missing. Private
// messages need pages_messaging as well, which Subscribe looks for. A person is
// asked for all six, so that the app must have been given all six by Meta: its
// login dialog refuses to ask for what the app may not have.
//
// # What cannot be revoked
//
// The Graph API takes back the whole authorisation that a person gave an app
// (DELETE /{user}/permissions), for every Page at once. It cannot take back the
// token of one Page, so the adapter is no platform.Revoker and no
// platform.SessionEnder. A Page token ends for sure when the person behind it
// loses the task on the Page, removes the app, or changes the password.
//
// # What tells of a lost authorisation
//
// The deauthorisation callback (a signed_request in a form) names a person, and
// nothing there says to which Pages that person's token led: Receive refuses it,
// and the next probe finds out. Webhooks of the object "permissions" are
// understood where they name Pages in target_ids; an administrator can subscribe
// them in the app's dashboard. They are not promised in Pushes, because Meta does
// not document their content.
//
// # Polling
//
// Posts are asked for by the hundred, by fewer where they take more than 8 MiB,
// and one that does so alone without its text. A notice that a post was made for
// later has another ID than that of its publication.
//
// # Whose refusal it is
//
// The Graph API says what is wrong by code and subcode, mostly with status 400,
// now and then with 200; the status alone is not trusted. A page of HTML is a
// proxy's or a firewall's and blames nobody. A refusal of the app's own token
// blames the application, never an account, and so does code 1 from the token
// endpoint with the status of a refusal, by which Meta says that the app's secret
// is wrong.
package meta

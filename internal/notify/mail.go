// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"github.com/rostra-dev/rostra/internal/httpx"
)

const (
	wayMail = "email"
	// Ports of submission: RFC 6409 with STARTTLS, RFC 8314 with TLS at once.
	portSubmission  = 587
	portSubmissions = 465
	maxRecipients   = 10
	farewellLimit   = time.Second
)

// mailer sends by SMTP.
type mailer struct {
	opener         *Opener
	host           string
	port           int
	implicit       bool // TLS from the first byte
	clear          bool // no TLS at all, within an allowed range
	user, password string
	from           *mail.Address
	to             []*mail.Address // empty: the member's own
}

func (o *Opener) openMail(p parsed) (way, error) {
	if err := refuseQuery(p.url, "to", "from", "tls"); err != nil {
		return nil, err
	}
	if p.url.Hostname() == "" || strings.Trim(p.url.Path, "/") != "" || p.url.Fragment != "" {
		return nil, errors.New("the address of mail is smtp://USER:PASSWORD@HOST:587?to=ADDRESS&from=ADDRESS")
	}
	m := &mailer{opener: o, host: p.url.Hostname(), implicit: p.url.Scheme == "smtps", port: portSubmission}
	if m.implicit {
		m.port = portSubmissions
	}
	// The rules for a host are those of any server that is called.
	if _, err := httpx.ParseServerURL("https://" + p.url.Host); err != nil {
		return nil, fmt.Errorf("the mail server: %w", err)
	}
	if port := p.url.Port(); port != "" {
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil || number == 0 {
			return nil, errors.New("the port of the mail server is not a number between 1 and 65535")
		}
		m.port = int(number)
	}
	if err := m.credentials(p); err != nil {
		return nil, err
	}
	if err := m.people(p.url.Query()); err != nil {
		return nil, err
	}
	switch p.url.Query().Get("tls") {
	case "":
	case "none":
		if m.implicit || m.user != "" {
			return nil, errors.New("tls=none sends in clear, so it goes with smtp:// and without a user name and password")
		}
		m.clear = true
	default:
		return nil, errors.New("the option tls is none, or left out")
	}
	return m, nil
}

// credentials are in the URL or beside it.
func (m *mailer) credentials(p parsed) error {
	m.user, m.password = p.extra.Get(KeyUsername), p.extra.Get(KeyPassword)
	if p.url.User != nil {
		if m.user != "" || m.password != "" {
			return errors.New("the user name and password of the mail server stand in the URL and beside it; take one of them out")
		}
		m.user = p.url.User.Username()
		m.password, _ = p.url.User.Password()
	}
	if (m.user == "") != (m.password == "") {
		return errors.New("the mail server has one of user name and password; it needs both or neither")
	}
	return nil
}

func (m *mailer) people(query url.Values) error {
	from, err := mailbox(cmp.Or(query.Get("from"), m.opener.options.From))
	if err != nil {
		return errors.New("the sender (from=) is missing, or not an e-mail address")
	}
	m.from = from
	if query.Get("to") == "" {
		return nil
	}
	for one := range strings.SplitSeq(query.Get("to"), ",") {
		to, err := mailbox(one)
		if err != nil {
			return errors.New("a recipient (to=) is not an e-mail address (a + in it is written %2B)")
		}
		m.to = append(m.to, to)
	}
	if len(m.to) > maxRecipients {
		return fmt.Errorf("more than %d recipients (to=); name a list of the mail server's", maxRecipients)
	}
	return nil
}

// mailbox reads one address (RFC 5322). Control characters, with which headers
// and commands could be smuggled in, are in none.
func mailbox(text string) (*mail.Address, error) {
	address, err := mail.ParseAddress(strings.TrimSpace(text))
	if err != nil || strings.ContainsFunc(address.Name+address.Address, unicode.IsControl) {
		return nil, errors.New("not an e-mail address")
	}
	return address, nil
}

func (*mailer) name() string { return wayMail }

// tell sends one mail to each recipient, so that one who is refused keeps it from
// nobody else. It counts as told when the server has answered 250 to one of the
// mails: what it says to a recipient before, or does not say to the farewell
// after, tells nothing.
func (m *mailer) tell(ctx context.Context, message Message) *Failure {
	recipients, failure := m.recipients(message)
	if failure != nil {
		return failure
	}
	ctx, cancel := context.WithTimeout(ctx, m.opener.options.MailTimeout)
	defer cancel()
	line := &wire{mailer: m}
	defer line.close()
	client, err := gomail.NewClient(m.host, m.options(line)...)
	if err != nil {
		return refused("the mail server's address cannot be used")
	}
	stop := context.AfterFunc(ctx, line.close)
	defer stop()
	if err := client.DialWithContext(ctx); err != nil {
		return m.classify(ctx, line, err, false)
	}
	told := false
	for _, to := range recipients {
		composed := m.compose(message, to)
		err := client.Send(composed)
		if err == nil || composed.IsDelivered() {
			told = true
			continue
		}
		failure = worse(failure, m.classify(ctx, line, err, true))
	}
	farewell(ctx, client, line)
	if told {
		return nil
	}
	return failure
}

// worse is what is said of two recipients whom the mail did not reach: the first
// failure, or the first that may pass.
func worse(first, next *Failure) *Failure {
	if first == nil {
		return next
	}
	chosen := first
	if first.Permanent && !next.Permanent {
		chosen = next
	}
	chosen.MaybeTold = first.MaybeTold || next.MaybeTold
	return chosen
}

// farewell ends the session as it should be ended, and waits no longer than it
// takes: the mail is accepted.
func farewell(ctx context.Context, client *gomail.Client, line *wire) {
	ctx, cancel := context.WithTimeout(ctx, farewellLimit)
	defer cancel()
	stop := context.AfterFunc(ctx, line.close)
	defer stop()
	_ = client.Close() // what the server says to QUIT changes nothing
}

func (m *mailer) options(line *wire) []gomail.Option {
	_, domain, _ := strings.Cut(m.from.Address, "@")
	options := []gomail.Option{
		gomail.WithPort(m.port),
		gomail.WithTimeout(m.opener.options.MailTimeout),
		gomail.WithHELO(domain), // not the name of the pod
		gomail.WithTLSConfig(m.tls()),
		gomail.WithDialContextFunc(line.dial),
		gomail.WithTLSPolicy(m.policy()),
		gomail.WithoutNoop(),
		gomail.WithoutRset(),
	}
	if m.user != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(m.user), gomail.WithPassword(m.password))
	}
	return options
}

// policy of the library. The wire has made the connection secure already where TLS
// is there from the first byte; the library finds that out, but not when it is
// told to do it by itself.
func (m *mailer) policy() gomail.TLSPolicy {
	switch {
	case m.implicit:
		return gomail.TLSOpportunistic
	case m.clear:
		return gomail.NoTLS
	}
	return gomail.TLSMandatory
}

func (m *mailer) tls() *tls.Config {
	return &tls.Config{ServerName: m.host, MinVersion: tls.VersionTLS12, RootCAs: m.opener.options.RootCAs}
}

// recipients are those of the address, else the member.
func (m *mailer) recipients(message Message) ([]*mail.Address, *Failure) {
	if len(m.to) > 0 {
		return m.to, nil
	}
	own, err := mailbox(message.Email)
	if err != nil {
		return nil, refused("the address names no recipient (to=), and the member has no e-mail address")
	}
	return []*mail.Address{own}, nil
}

// compose writes the mail to one. Its Message-ID is the same for the same telling
// of the same person. Auto-Submitted (RFC 3834) keeps holiday notices from
// answering it.
func (m *mailer) compose(message Message, to *mail.Address) *gomail.Msg {
	composed := gomail.NewMsg()
	composed.FromMailAddress(m.from)
	composed.ToMailAddress(to)
	composed.Subject(message.Title)
	composed.SetDateWithValue(m.opener.options.Clock.Now())
	_, domain, _ := strings.Cut(m.from.Address, "@")
	composed.SetMessageIDWithValue(digest(message.ID+" "+to.Address) + "@" + domain)
	// All tellings of one incident stand together in the reader's list.
	thread := "<" + digest("incident "+message.Incident) + "@" + domain + ">"
	composed.SetGenHeader(gomail.HeaderReferences, thread)
	composed.SetGenHeader("Auto-Submitted", "auto-generated")
	composed.SetGenHeader("X-Auto-Response-Suppress", "All")
	if message.Urgency == High {
		composed.SetImportance(gomail.ImportanceHigh)
	}
	composed.SetBodyString(gomail.TypeTextPlain, plain(message)+"\n")
	return composed
}

// address is where the connection goes.
func (m *mailer) address() string { return net.JoinHostPort(m.host, strconv.Itoa(m.port)) }

// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/textproto"
	"strconv"
	"sync"

	gomail "github.com/wneessen/go-mail"
)

// maxSaid is how much a mail server may say in one conversation, in bytes.
const maxSaid = 256 << 10

var errTalkative = errors.New("the mail server says more than any mail server does")

// wire is the one connection of a telling.
type wire struct {
	mailer *mailer

	mu   sync.Mutex
	conn net.Conn
	err  error // of the dialling or of the TLS handshake that began with it
	tls  bool  // the error was the handshake's
}

// dial is the mail library's only way to the network: through the egress rules.
func (w *wire) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	conn, err := w.mailer.opener.options.HTTP.Dial(ctx, w.mailer.address(), w.mailer.clear)
	if err != nil {
		w.err = err
		return nil, err
	}
	conn = &quietConn{Conn: conn, left: maxSaid}
	w.mu.Lock()
	w.conn = conn
	w.mu.Unlock()
	if ctx.Err() != nil { // it ended before there was something to close
		return nil, errors.Join(ctx.Err(), conn.Close())
	}
	if !w.mailer.implicit {
		return conn, nil
	}
	secure := tls.Client(conn, w.mailer.tls())
	if err := secure.HandshakeContext(ctx); err != nil {
		w.err, w.tls = err, true
		return nil, errors.Join(err, conn.Close())
	}
	return secure, nil
}

// close ends the connection, which ends whatever waits for it.
func (w *wire) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn != nil {
		_ = w.conn.Close() // twice is one too many, and harmless
	}
}

// quietConn bounds what is read: the mail library reads lines of any length.
type quietConn struct {
	net.Conn
	left int
}

func (c *quietConn) Read(into []byte) (int, error) {
	if c.left <= 0 {
		return 0, errTalkative
	}
	n, err := c.Conn.Read(into[:min(len(into), c.left)])
	c.left -= n
	return n, err
}

// classify makes a Failure of the mail library's error, of which nothing is
// shown but the server's code: it quotes addresses and what the server said. With
// sending, the session was open.
func (m *mailer) classify(ctx context.Context, line *wire, err error, sending bool) *Failure {
	if line.err != nil && !line.tls {
		return fromTransport(line.err, m.opener.options.Clock.Now())
	}
	code, stage := smtpCode(err), smtpStage(err, sending)
	failure := &Failure{Status: code, Permanent: code >= 500, MaybeTold: code == 0 && stage == stageData}
	switch {
	case ctx.Err() != nil:
		failure.Status, failure.Permanent = 0, false
		failure.reason = m.address() + ": no complete answer in time " + string(stage)
	case code == 535 || code == 534 || code == 530:
		failure.reason = m.address() + " answered " + strconv.Itoa(code) + ": it does not accept the user name and password"
	case code != 0:
		failure.reason = m.address() + " answered " + strconv.Itoa(code) + " " + string(stage)
	case errors.Is(err, errTalkative):
		failure.reason = m.address() + ": " + errTalkative.Error()
	case isCertificate(err):
		failure.reason = m.address() + ": the mail server's certificate is not one that is trusted for this name"
	case stage == stageGreeting:
		failure.reason = m.address() + ": no secure session with the mail server (it must offer STARTTLS, or TLS at once with smtps://, " +
			"and a way to sign in where there is a password)"
	default:
		failure.reason = m.address() + ": the connection broke " + string(stage)
	}
	return failure
}

// stage is how far a mail got.
type stage string

const (
	stageGreeting stage = "at the greeting"
	stageSender   stage = "to the sender"
	stageTo       stage = "to a recipient"
	stageData     stage = "to the mail itself"
)

func smtpStage(err error, sending bool) stage {
	sent, ok := errors.AsType[*gomail.SendError](err)
	switch {
	case !ok && !sending:
		return stageGreeting
	case !ok:
		return stageSender
	}
	switch sent.Reason {
	case gomail.ErrSMTPRcptTo, gomail.ErrGetRcpts:
		return stageTo
	case gomail.ErrSMTPData, gomail.ErrSMTPDataClose, gomail.ErrWriteContent, gomail.ErrSMTPReset:
		return stageData
	case gomail.ErrGetSender, gomail.ErrSMTPMailFrom, gomail.ErrConnCheck, gomail.ErrNoUnencoded, gomail.ErrAmbiguous:
	}
	return stageSender
}

// smtpCode is the server's, or zero where the failure was not its answer.
func smtpCode(err error) int {
	code := 0
	if sent, ok := errors.AsType[*gomail.SendError](err); ok {
		code = sent.ErrorCode()
	}
	if said, ok := errors.AsType[*textproto.Error](err); ok && code == 0 {
		code = said.Code
	}
	if code < 400 || code > 599 {
		return 0
	}
	return code
}

func isCertificate(err error) bool {
	_, verification := errors.AsType[*tls.CertificateVerificationError](err)
	_, hostname := errors.AsType[x509.HostnameError](err)
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	return verification || hostname || authority
}

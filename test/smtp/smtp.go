// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package smtp runs a real mail server on 127.0.0.1, in this process, for test
// suites. It keeps what it accepts, and can be told to misbehave as mail servers
// do.
package smtp

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"slices"
	"sync"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"
)

const maxMail = 1 << 20 // bytes

// Trouble is a way to misbehave.
type Trouble int

const (
	// None: mail is accepted.
	None Trouble = iota
	// RefuseSender answers 550 to MAIL FROM.
	RefuseSender
	// Greylist answers 451 to RCPT TO.
	Greylist
	// RefuseRecipient answers 550 to RCPT TO.
	RefuseRecipient
	// FailMail takes the recipient, reads the mail, and answers 451.
	FailMail
	// RefuseMail takes the recipient, reads the mail, and answers 554.
	RefuseMail
	// CutMail takes the recipient, reads the mail, and closes the connection.
	CutMail
	// HangMail takes the recipient, reads the mail, and says nothing.
	HangMail
	// CutAfter accepts the mail and then closes the connection.
	CutAfter
)

// Options of a server.
type Options struct {
	// Implicit TLS, from the first byte; otherwise STARTTLS is offered.
	Implicit bool
	// Clear offers no TLS at all.
	Clear bool
	// Username and Password, where given, are needed to send.
	Username, Password string
	// Unknown are recipients who are answered 550, whatever else goes well.
	Unknown []string
	// Hangs, where given, is called when HangMail has the mail.
	Hangs func()
}

// Mail is one that was accepted.
type Mail struct {
	From string
	To   []string
	// Data is the mail with its headers.
	Data []byte
	// TLS tells that it came encrypted.
	TLS bool
}

// Server is one that runs.
type Server struct {
	options Options
	server  *gosmtp.Server
	listen  net.Listener
	address string
	roots   *x509.CertPool
	stopped chan struct{}
	served  chan struct{}

	mu      sync.Mutex
	trouble Trouble
	mails   []Mail
}

// Start runs a server.
func Start(o Options) (*Server, error) {
	// The certificate is for 127.0.0.1 and example.com.
	certified := httptest.NewTLSServer(nil)
	config := &tls.Config{Certificates: certified.TLS.Certificates, MinVersion: tls.VersionTLS12}
	s := &Server{options: o, roots: x509.NewCertPool(), stopped: make(chan struct{}), served: make(chan struct{})}
	s.roots.AddCert(certified.Certificate())
	certified.Close()

	s.server = gosmtp.NewServer(gosmtp.BackendFunc(func(c *gosmtp.Conn) (gosmtp.Session, error) {
		return &session{server: s, conn: c}, nil
	}))
	s.server.Domain = "mail.example"
	s.server.ErrorLog = log.New(io.Discard, "", 0)
	s.server.MaxMessageBytes = maxMail
	if !o.Clear {
		s.server.TLSConfig = config
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.listen, s.address = listener, listener.Addr().String()
	if o.Implicit {
		listener = tls.NewListener(listener, config)
	}
	go func() {
		defer close(s.served)
		_ = s.server.Serve(listener)
	}()
	return s, nil
}

// Address is the server's host and port.
func (s *Server) Address() string { return s.address }

// Roots verify the server's certificate.
func (s *Server) Roots() *x509.CertPool { return s.roots }

// Misbehave from now on.
func (s *Server) Misbehave(trouble Trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble = trouble
}

// Mails that were accepted, in order.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// Stop ends the server and every connection to it.
func (s *Server) Stop() error {
	close(s.stopped)
	err := s.server.Close()
	_ = s.listen.Close() // the library does not know it yet where Serve has only just begun
	<-s.served
	return err
}

func (s *Server) does(trouble Trouble) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trouble == trouble
}

// session is one connection's.
type session struct {
	server *Server
	conn   *gosmtp.Conn
	signed bool
	mail   Mail
}

var errSignIn = &gosmtp.SMTPError{Code: 530, EnhancedCode: gosmtp.EnhancedCode{5, 7, 0}, Message: "sign in first"}

// AuthMechanisms is none where nobody has to sign in.
func (s *session) AuthMechanisms() []string {
	if s.server.options.Username == "" {
		return nil
	}
	return []string{sasl.Plain}
}

// Auth checks user name and password.
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if username != s.server.options.Username || password != s.server.options.Password {
			// Servers do say such things.
			return &gosmtp.SMTPError{Code: 535, EnhancedCode: gosmtp.EnhancedCode{5, 7, 8}, Message: "wrong: " + username + " " + password}
		}
		s.signed = true
		return nil
	}), nil
}

// Mail begins one.
func (s *session) Mail(from string, _ *gosmtp.MailOptions) error {
	if s.server.options.Username != "" && !s.signed {
		return errSignIn
	}
	if s.server.does(RefuseSender) {
		return &gosmtp.SMTPError{Code: 550, Message: "no mail from " + from}
	}
	_, secure := s.conn.TLSConnectionState()
	s.mail = Mail{From: from, TLS: secure}
	return nil
}

// Rcpt adds a recipient.
func (s *session) Rcpt(to string, _ *gosmtp.RcptOptions) error {
	switch {
	case s.server.does(Greylist):
		return &gosmtp.SMTPError{Code: 451, EnhancedCode: gosmtp.EnhancedCode{4, 7, 1}, Message: "later, " + to}
	case s.server.does(RefuseRecipient), slices.Contains(s.server.options.Unknown, to):
		return &gosmtp.SMTPError{Code: 550, EnhancedCode: gosmtp.EnhancedCode{5, 1, 1}, Message: "no such person: " + to}
	}
	s.mail.To = append(s.mail.To, to)
	return nil
}

// Data reads the mail, and accepts it or not.
func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(io.LimitReader(r, maxMail))
	if err != nil {
		return err
	}
	s.mail.Data = data
	switch {
	case s.server.does(FailMail):
		return &gosmtp.SMTPError{Code: 451, Message: "the disk is full: " + string(data[:min(len(data), 40)])}
	case s.server.does(RefuseMail):
		return &gosmtp.SMTPError{Code: 554, Message: "spam"}
	case s.server.does(CutMail):
		return s.conn.Conn().Close()
	case s.server.does(HangMail):
		if s.server.options.Hangs != nil {
			s.server.options.Hangs()
		}
		<-s.server.stopped
		return errors.New("the server was stopped")
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.mails = append(s.server.mails, s.mail)
	return nil
}

// Reset forgets what was begun.
func (s *session) Reset() {
	if s.server.does(CutAfter) && len(s.server.Mails()) > 0 {
		_ = s.conn.Conn().Close()
	}
	s.mail = Mail{}
}

// Logout ends the session.
func (s *session) Logout() error { return nil }

// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package httpx

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

const (
	maxServerURL = 2048 // bytes, far above any honest one
	maxName      = 253  // bytes of a host name in ASCII (RFC 1035, section 2.3.4)
	portHTTP     = 80
	portHTTPS    = 443
)

// ServerURL is the base URL of a server: scheme, host and port. The zero value
// is no server. Two of them are == exactly when they name the same origin.
type ServerURL struct {
	scheme string
	host   string // lower case, ASCII; an IPv6 address without brackets
	port   uint16 // zero for the scheme's own
}

// ParseServerURL checks the base URL of a server as a user wrote it and gives
// its canonical form: lower case, the host in ASCII (IDNA, UTS #46), without the
// scheme's own port. It looks nothing up; whether the address may be dialled is
// judged when a connection is made. Its errors are for the person who wrote the
// URL and never repeat it, because it may hold a password.
func ParseServerURL(raw string) (ServerURL, error) {
	if err := checkRaw(raw); err != nil {
		return ServerURL{}, err
	}
	u, err := url.Parse(raw)
	if err != nil {
		return ServerURL{}, errors.New("the server URL cannot be parsed: write it like https://social.example")
	}
	server, err := serverOf(u)
	if err != nil {
		return ServerURL{}, fmt.Errorf("the server URL %w", err)
	}
	switch {
	case u.Path != "" && u.Path != "/":
		return ServerURL{}, errors.New("the server URL has a path: write only scheme and host, like https://social.example")
	case u.RawQuery != "" || u.ForceQuery:
		return ServerURL{}, errors.New("the server URL has a query: remove everything from the question mark on")
	case strings.Contains(raw, "#"):
		return ServerURL{}, errors.New("the server URL has a fragment: remove everything from the # on")
	}
	return server, nil
}

func checkRaw(raw string) error {
	switch {
	case raw == "":
		return errors.New("the server URL is empty: write it like https://social.example")
	case len(raw) > maxServerURL:
		return fmt.Errorf("the server URL is longer than %d bytes", maxServerURL)
	case strings.ContainsFunc(raw, func(r rune) bool { return r < 0x20 || r >= 0x7f && r <= 0x9f }):
		return errors.New("the server URL holds a control character, perhaps a line break at its end: remove it")
	case strings.ContainsAny(raw, " \u00a0\u3000"):
		return errors.New("the server URL holds a space: remove it")
	case !strings.Contains(raw, "://"):
		return errors.New("the server URL has no scheme: write it like https://social.example")
	}
	return nil
}

// serverOf gives the origin of a parsed URL. Its errors go after "the URL".
func serverOf(u *url.URL) (ServerURL, error) {
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return ServerURL{}, errors.New("has a scheme other than https or http")
	case u.User != nil:
		return ServerURL{}, errors.New("holds a user name or password: credentials belong in a Secret")
	case u.Opaque != "" || u.Host == "" || u.Hostname() == "":
		return ServerURL{}, errors.New("has no host")
	}
	host, err := canonicalHost(u)
	if err != nil {
		return ServerURL{}, err
	}
	port, err := canonicalPort(u)
	if err != nil {
		return ServerURL{}, err
	}
	return ServerURL{scheme: u.Scheme, host: host, port: port}, nil
}

func canonicalHost(u *url.URL) (string, error) {
	host := u.Hostname()
	switch {
	case strings.HasPrefix(u.Host, "["):
		return canonicalIPv6(host)
	case strings.HasSuffix(host, "."):
		return "", errors.New("has a host with a dot at its end: remove the dot")
	case strings.ContainsAny(host, "%:"):
		return "", errors.New("has a host with a character that no host name has")
	}
	name, err := canonicalName(host)
	if err != nil {
		return "", err
	}
	// Mapping may turn other digits and dots into an address, so look after it.
	if !endsInNumber(name) {
		return name, nil
	}
	addr, err := netip.ParseAddr(name)
	if err != nil {
		return "", errors.New("has a host that ends in a number and is not an IPv4 address in four decimal parts")
	}
	return addr.String(), nil
}

func canonicalIPv6(host string) (string, error) {
	addr, err := netip.ParseAddr(host)
	switch {
	case err != nil || !addr.Is6():
		return "", errors.New("has brackets around something that is not an IPv6 address")
	case addr.Zone() != "":
		return "", errors.New("has an IPv6 address with a zone: zones have no meaning to a server elsewhere")
	case addr.Is4In6():
		return "", errors.New("has an IPv4 address written as IPv6: write it as IPv4")
	}
	return addr.String(), nil
}

// canonicalName gives a host name in lower-case ASCII. Plain names take the
// short way, since every request passes here.
func canonicalName(host string) (string, error) {
	if isPlainName(host) {
		return host, nil
	}
	// Decoding takes time that grows with the square of the length, and the name
	// may come from a server's redirect, so look at the length first. A name in
	// ASCII has at least a byte for each character.
	if utf8.RuneCountInString(host) > maxName {
		return "", errors.New("has a host that is longer than any domain name")
	}
	profile := idna.New(idna.MapForLookup(), idna.BidiRule(), idna.CheckHyphens(true),
		idna.StrictDomainName(true), idna.VerifyDNSLength(true), idna.Transitional(false))
	name, err := profile.ToASCII(host)
	if err == nil && utf8.ValidString(host) && !strings.HasSuffix(name, ".") {
		// A name that the profile encodes but would not read again is none.
		if again, err := profile.ToASCII(name); err == nil && again == name {
			return name, nil
		}
	}
	return "", errors.New("has a host that is not a valid (internationalised) domain name")
}

// isPlainName tells whether a host is in canonical form by plain inspection:
// labels of a–z, 0–9 and inner hyphens, none of them encoded.
func isPlainName(host string) bool {
	if len(host) > maxName {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.Contains(label, "--") {
			return false
		}
		for i := range len(label) {
			if c := label[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	return true
}

// endsInNumber follows the WHATWG URL standard ("ends in a number checker"):
// some resolvers read such a host as an IPv4 address in decimal, octal or hex.
func endsInNumber(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if strings.Trim(last, "0123456789") == "" {
		return true
	}
	digits, isHex := strings.CutPrefix(last, "0x")
	return isHex && strings.Trim(digits, "0123456789abcdef") == ""
}

func canonicalPort(u *url.URL) (uint16, error) {
	text := u.Port()
	if text == "" {
		if strings.HasSuffix(u.Host, ":") {
			return 0, errors.New("has a colon without a port after its host")
		}
		return 0, nil
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return 0, errors.New("has a port that is not a number from 1 to 65535")
	}
	if u.Scheme == "https" && port == portHTTPS || u.Scheme == "http" && port == portHTTP {
		return 0, nil
	}
	return uint16(port), nil
}

// String gives the canonical URL, without a slash at its end; empty for the
// zero value.
func (s ServerURL) String() string {
	if s.IsZero() {
		return ""
	}
	return s.scheme + "://" + s.Host()
}

// Host gives host, or host:port where the port is not the scheme's own; an IPv6
// address stands in brackets.
func (s ServerURL) Host() string {
	host := s.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if s.port == 0 {
		return host
	}
	return host + ":" + strconv.Itoa(int(s.port))
}

// Scheme gives https or http.
func (s ServerURL) Scheme() string { return s.scheme }

// IsZero tells whether there is no server.
func (s ServerURL) IsZero() bool { return s == ServerURL{} }

// URL gives the URL of path on the server, with query where there is one. The
// path is used as it is: pass values that come from outside through
// url.PathEscape first.
func (s ServerURL) URL(path string, query url.Values) string {
	if path != "" && !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	target := s.String() + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	return target
}

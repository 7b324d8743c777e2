// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package webpush

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"net/http"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// sealed gives a body whose one record holds this padded text, for the keys.
func sealed(keys Keys, legacy bool, padded []byte) (http.Header, []byte) {
	GinkgoHelper()
	sender, err := NewKeys()
	Expect(err).NotTo(HaveOccurred())
	agreed, err := sender.private.ECDH(keys.private.PublicKey())
	Expect(err).NotTo(HaveOccurred())
	message := Message{salt: bytes.Repeat([]byte{7}, saltSize), senderKey: sender.private.PublicKey(), derive: deriveStandard}
	if legacy {
		message.derive = deriveLegacy
	}
	key, nonce, err := message.derive(agreed, keys, message)
	Expect(err).NotTo(HaveOccurred())
	block, err := aes.NewCipher(key)
	Expect(err).NotTo(HaveOccurred())
	gcm, err := cipher.NewGCM(block)
	Expect(err).NotTo(HaveOccurred())
	record := gcm.Seal(nil, nonce, padded, nil)
	if legacy {
		return http.Header{
			"Content-Encoding": {"aesgcm"},
			"Encryption":       {"salt=BwcHBwcHBwcHBwcHBwcHBw"},
			"Crypto-Key":       {"dh=" + sender.Public()},
		}, record
	}
	body := binary.BigEndian.AppendUint32(bytes.Clone(message.salt), 4096)
	body = append(body, pointSize)
	return standardHeader(), bytes.Join([][]byte{body, message.senderKey.Bytes(), record}, nil)
}

func edited(header http.Header, name string, values ...string) http.Header {
	header = header.Clone()
	header[name] = values
	return header
}

var _ = Describe("A message", func() {
	var keys Keys
	BeforeEach(func() {
		var err error
		keys, err = NewKeys()
		Expect(err).NotTo(HaveOccurred())
	})

	DescribeTable("is read with its padding", func(legacy bool, padded, want string) {
		header, body := sealed(keys, legacy, []byte(padded))
		Expect(decrypt(header, body, keys)).To(Equal(want))
	},
		Entry("none", false, "hello\x02", "hello"),
		Entry("some", false, "hello\x02\x00\x00\x00", "hello"),
		Entry("of nothing", false, "\x02\x00\x00", ""),
		Entry("of zeros", false, "\x00\x00\x02\x00", "\x00\x00"),
		Entry("none, in the draft", true, "\x00\x00hello", "hello"),
		Entry("some, in the draft", true, "\x00\x03\x00\x00\x00hello", "hello"),
		Entry("of nothing, in the draft", true, "\x00\x02\x00\x00", ""),
	)

	DescribeTable("is refused with padding that is none", func(legacy bool, padded string) {
		header, body := sealed(keys, legacy, []byte(padded))
		_, err := decrypt(header, body, keys)
		Expect(err).To(MatchError(ErrDecrypt))
	},
		Entry("no delimiter", false, "hello"),
		Entry("zeros alone", false, "\x00\x00\x00"),
		Entry("the delimiter of a record that others follow", false, "hello\x01"),
		Entry("longer than there is", true, "\x00\x05hey"),
		Entry("not of zeros", true, "\x00\x02\x00ahello"),
	)

	It("is refused when any byte was altered, or cut off", func() {
		keys := keysOf(standardPrivate, standardAuth)
		body := bytesOf(standardBody)
		for i := range body {
			if i >= saltSize && i < saltSize+4 {
				continue // the record size: it is not authenticated, and may be any that fits
			}
			altered := bytes.Clone(body)
			altered[i] ^= 1
			_, err := decrypt(standardHeader(), altered, keys)
			Expect(err).To(Or(MatchError(ErrDecrypt), MatchError(ErrForm)), "byte %d", i)
			_, err = decrypt(standardHeader(), body[:i], keys)
			Expect(err).To(Or(MatchError(ErrDecrypt), MatchError(ErrForm)), "%d bytes", i)
		}
		draft := bytesOf(legacyBody)
		for i := range draft {
			altered := bytes.Clone(draft)
			altered[i] ^= 1
			_, err := decrypt(legacyHeader(), altered, keysOf(legacyPrivate, legacyAuth))
			Expect(err).To(MatchError(ErrDecrypt), "byte %d", i)
			_, err = decrypt(legacyHeader(), draft[:i], keysOf(legacyPrivate, legacyAuth))
			Expect(err).To(Or(MatchError(ErrDecrypt), MatchError(ErrForm)), "%d bytes", i)
		}
	})

	It("is refused with another's keys, or another's secret", func() {
		for _, one := range []Keys{keys, keysOf(standardPrivate, legacyAuth), keysOf(legacyPrivate, standardAuth)} {
			_, err := decrypt(standardHeader(), bytesOf(standardBody), one)
			Expect(err).To(MatchError(ErrDecrypt))
		}
	})

	DescribeTable("is refused with a record size that cannot be", func(size uint32) {
		body := bytesOf(standardBody)
		binary.BigEndian.PutUint32(body[saltSize:], size)
		_, err := ReadMessage(standardHeader(), body)
		Expect(err).To(MatchError(ErrForm))
	},
		Entry("none", uint32(0)),
		Entry("smaller than a record can be", uint32(17)),
		Entry("so small that there is a second record", uint32(len(standardText)+tagSize)),
	)

	It("is read whatever larger record size it names", func() {
		body := bytesOf(standardBody)
		for _, size := range []uint32{uint32(len(standardText) + 1 + tagSize), 1 << 31, 1<<32 - 1} {
			binary.BigEndian.PutUint32(body[saltSize:], size)
			Expect(decrypt(standardHeader(), body, keysOf(standardPrivate, standardAuth))).To(Equal(standardText), "%d", size)
		}
	})

	DescribeTable("is refused in another form", func(header http.Header, body string, want error) {
		_, err := ReadMessage(header, []byte(body))
		Expect(err).To(MatchError(want))
	},
		Entry("no encoding", http.Header{}, "", ErrEncoding),
		Entry("another encoding", http.Header{"Content-Encoding": {"gzip"}}, "", ErrEncoding),
		Entry("the draft's first encoding", http.Header{"Content-Encoding": {"aesgcm128"}}, "", ErrEncoding),
		Entry("two encodings", http.Header{"Content-Encoding": {"aes128gcm", "aesgcm"}}, "", ErrEncoding),
		Entry("an encoding within another", http.Header{"Content-Encoding": {"aes128gcm, gzip"}}, "", ErrEncoding),
		Entry("HTML", edited(standardHeader(), "Content-Type", "text/html"), "", ErrForm),
		Entry("two content types", edited(standardHeader(), "Content-Type", octets, octets), "", ErrForm),
		Entry("an empty body", standardHeader(), "", ErrForm),
		Entry("JSON", standardHeader(), `{"notification_id":1,"notification_type":"mention"}`, ErrForm),
		Entry("a key that is not on the curve", standardHeader(), string(bytes.Repeat([]byte{4}, 200)), ErrForm),
		Entry("no salt", edited(legacyHeader(), "Encryption"), string(bytes.Repeat([]byte{4}, 50)), ErrForm),
		Entry("a short salt", edited(legacyHeader(), "Encryption", "salt=AAAA"), string(bytes.Repeat([]byte{4}, 50)), ErrForm),
		Entry("two salts", edited(legacyHeader(), "Encryption", "salt="+legacySalt+";salt="+legacySalt), string(bytes.Repeat([]byte{4}, 50)), ErrForm),
		Entry("two headers of salts", edited(legacyHeader(), "Encryption", "salt="+legacySalt, "rs=4096"), string(bytes.Repeat([]byte{4}, 50)), ErrForm),
		Entry("a record size of letters", edited(legacyHeader(), "Encryption", "salt="+legacySalt+";rs=big"), string(bytes.Repeat([]byte{4}, 50)), ErrForm),
		Entry("a record size of 2", edited(legacyHeader(), "Encryption", "salt="+legacySalt+";rs=2"), string(bytes.Repeat([]byte{4}, 50)), ErrForm),
		Entry("a record size beyond 32 bits", edited(legacyHeader(), "Encryption", "salt="+legacySalt+";rs=4294967296"), string(bytes.Repeat([]byte{4}, 50)), ErrForm),
		Entry("more than one record", edited(legacyHeader(), "Encryption", "salt="+legacySalt+";rs=34"), string(bytes.Repeat([]byte{4}, 50)), ErrForm),
		Entry("no key", edited(legacyHeader(), "Crypto-Key", "p256ecdsa="+legacySender), string(bytes.Repeat([]byte{4}, 50)), ErrForm),
		Entry("a key in another alphabet", edited(legacyHeader(), "Crypto-Key", "dh=+/+/"), string(bytes.Repeat([]byte{4}, 50)), ErrForm),
		Entry("a key that is not on the curve, in the draft", edited(legacyHeader(), "Crypto-Key", "dh=AAAA"), string(bytes.Repeat([]byte{4}, 50)), ErrForm),
		Entry("a header that is too long", edited(legacyHeader(), "Crypto-Key", "dh="+legacySender+";x="+string(bytes.Repeat([]byte{'a'}, maxHeader))), string(bytes.Repeat([]byte{4}, 50)), ErrForm),
	)

	It("may quote and pad what its headers say, and part it by commas", func() {
		header := http.Header{
			"Content-Encoding": {"AESGCM"},
			"Encryption":       {`keyid=p256dh; salt="` + legacySalt + `=="; rs=4096`},
			"Crypto-Key":       {"keyid=p256dh; dh=" + legacySender + "=, p256ecdsa=" + standardPublic},
		}
		Expect(decrypt(header, bytesOf(legacyBody), keysOf(legacyPrivate, legacyAuth))).To(Equal(legacyText))
	})

	It("is refused for its size alone, at no cost", func() {
		huge := make([]byte, 10<<20)
		_, err := ReadMessage(standardHeader(), huge)
		Expect(err).To(MatchError(ErrTooLarge))
		allocated := testing.AllocsPerRun(100, func() { _, _ = ReadMessage(standardHeader(), huge) })
		Expect(allocated).To(BeNumerically("<=", 4), "only the header of this test")
	})
})

var _ = Describe("Keys", func() {
	It("are new each time, and read back as they were", func() {
		one, err := NewKeys()
		Expect(err).NotTo(HaveOccurred())
		other, err := NewKeys()
		Expect(err).NotTo(HaveOccurred())
		Expect(one.Private()).NotTo(Equal(other.Private()))
		Expect(one.Auth()).NotTo(Equal(other.Auth()))
		again := keysOf(one.Private(), one.Auth())
		Expect(again.Public()).To(Equal(one.Public()))
		Expect(bytesOf(one.Auth())).To(HaveLen(16))
		Expect(ParsePublicKey(one.Public() + "=")).To(Equal(bytesOf(one.Public())))
	})

	DescribeTable("are refused, without showing them", func(private, auth string) {
		_, err := ParseKeys(private, auth)
		Expect(err).To(MatchError("the push keys on record are damaged"))
	},
		Entry("none", "", ""),
		Entry("no secret", standardPrivate, ""),
		Entry("a short secret", standardPrivate, "AAAA"),
		Entry("a short key", "AAAA", standardAuth),
		Entry("a key of zeros", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", standardAuth),
		Entry("another alphabet", "+/+/", standardAuth),
	)

	It("of a server are points of the curve", func() {
		_, err := ParsePublicKey("AAAA")
		Expect(err).To(MatchError(ContainSubstring("not a point")))
		_, err = ParsePublicKey("not base64")
		Expect(err).To(MatchError(ContainSubstring("not written in base64url")))
	})
})

func FuzzDecrypt(f *testing.F) {
	f.Add("aes128gcm", "", "", []byte{})
	standard, _ := decode(standardBody)
	f.Add("aes128gcm", "", "", standard)
	legacy, _ := decode(legacyBody)
	f.Add("aesgcm", "salt="+legacySalt, "dh="+legacySender, legacy)
	f.Add("aesgcm", "salt="+legacySalt+";rs=17", "dh="+legacySender, legacy)
	f.Add("aesgcm", `salt="`+legacySalt+`"`, "dh="+legacySender+",p256ecdsa=", bytes.Repeat(legacy, 200))
	var keys []Keys
	for _, pair := range [][2]string{{standardPrivate, standardAuth}, {legacyPrivate, legacyAuth}} {
		parsed, err := ParseKeys(pair[0], pair[1])
		if err != nil {
			f.Fatal(err)
		}
		keys = append(keys, parsed)
	}
	known := map[string]bool{standardText: true, legacyText: true}
	f.Fuzz(func(t *testing.T, encoding, encryption, cryptoKey string, body []byte) {
		header := http.Header{"Content-Encoding": {encoding}, "Encryption": {encryption}, "Crypto-Key": {cryptoKey}}
		message, err := ReadMessage(header, body)
		if err != nil {
			return
		}
		for _, one := range keys {
			if text, err := message.Decrypt(one); err == nil && !known[string(text)] {
				t.Fatalf("what nobody encrypted is read as %q", text)
			}
		}
	})
}

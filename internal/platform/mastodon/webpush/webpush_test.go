// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package webpush

import (
	"net/http"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestWebPush(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "web push")
}

func bytesOf(text string) []byte {
	GinkgoHelper()
	decoded, err := decode(text)
	Expect(err).NotTo(HaveOccurred())
	return decoded
}

func keysOf(private, auth string) Keys {
	GinkgoHelper()
	keys, err := ParseKeys(private, auth)
	Expect(err).NotTo(HaveOccurred())
	return keys
}

// The example of RFC 8291, appendix A.
const (
	standardPrivate = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
	standardPublic  = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
	standardAuth    = "BTBZMqHH6r4Tts7J_aSIgg"
	standardBody    = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
	standardText    = "When I grow up, I want to be a watermelon"
)

// The example of draft-ietf-webpush-encryption-04, section 5.
const (
	legacyPrivate = "9FWl15_QUQAWDaD3k3l50ZBZQJ4au27F1V4F0uLSD_M"
	legacyAuth    = "R29vIGdvbyBnJyBqb29iIQ"
	legacySender  = "BNoRDbb84JGm8g5Z5CFxurSqsXWJ11ItfXEWYVLE85Y7CYkDjXsIEc4aqxYaQ1G8BqkXCJ6DPpDrWtdWj_mugHU"
	legacySalt    = "lngarbyKfMoi9Z75xYXmkg"
	legacyBody    = "6nqAQUME8hNqw5J3kl8cpVVJylXKYqZOeseZG8UueKpA"
	legacyText    = "I am the walrus"
)

func standardHeader() http.Header { return http.Header{"Content-Encoding": {"aes128gcm"}} }

func legacyHeader() http.Header {
	return http.Header{
		"Content-Encoding": {"aesgcm"},
		"Encryption":       {"salt=" + legacySalt},
		"Crypto-Key":       {"dh=" + legacySender},
	}
}

func decrypt(header http.Header, body []byte, keys Keys) (string, error) {
	message, err := ReadMessage(header, body)
	if err != nil {
		return "", err
	}
	text, err := message.Decrypt(keys)
	return string(text), err
}

var _ = Describe("The published examples", func() {
	It("of RFC 8291, appendix A", func() {
		keys := keysOf(standardPrivate, standardAuth)
		Expect(keys.Public()).To(Equal(standardPublic))
		Expect(decrypt(standardHeader(), bytesOf(standardBody), keys)).To(Equal(standardText))
	})

	It("of draft-ietf-webpush-encryption-04, section 5", func() {
		Expect(decrypt(legacyHeader(), bytesOf(legacyBody), keysOf(legacyPrivate, legacyAuth))).To(Equal(legacyText))
	})

	It("of RFC 8188, section 3.1", func() {
		salt, keyID, record, err := splitCoding(bytesOf("I1BsxtFttlv3u_Oo94xnmwAAEAAA-NAVub2qFgBEuQKRapoZu-IxkIva3MEB1PD-ly8Thjg"))
		Expect(err).NotTo(HaveOccurred())
		Expect(keyID).To(BeEmpty())
		key, nonce, err := deriveContent(bytesOf("yqdlZ-tYemfogSmv7Ws5PQ"), salt)
		Expect(err).NotTo(HaveOccurred())
		padded, err := open(key, nonce, record)
		Expect(err).NotTo(HaveOccurred())
		Expect(unpadStandard(padded)).To(BeEquivalentTo("I am the walrus"))
	})

	It("of RFC 8188, section 3.2, which has two records and so is none of Web Push", func() {
		_, _, _, err := splitCoding(bytesOf("uNCkWiNYzKTnBN9ji3-qWAAAABkCYTHOG8chz_gnvgOqdGYovxyjuqRyJFjEDyoF1Fvkj6hQPdPHI51OEUKEpgz3SsLWIqS_uA"))
		Expect(err).To(MatchError(ErrForm))
	})
})

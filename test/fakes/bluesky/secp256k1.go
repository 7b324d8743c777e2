// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky

import (
	"crypto/sha256"
	"errors"
	"math/big"
	"strings"
)

// The curve secp256k1 is y² = x³ + 7 over the field of fieldPrime (SEC 2,
// section 2.4.1). The standard library does not have it. What follows only
// verifies, is slow, and is for tests.
const (
	curveB      = 7
	scalarBytes = 32
	pointBytes  = 1 + scalarBytes
)

type curve struct {
	field, order, half *big.Int
	base               point
}

// point is one in affine coordinates; nil coordinates are infinity.
type point struct{ x, y *big.Int }

type publicKey struct {
	curve curve
	point point
}

func secp256k1() curve {
	number := func(hex string) *big.Int {
		n, _ := new(big.Int).SetString(hex, 16)
		return n
	}
	order := number("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
	return curve{
		field: number("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f"),
		order: order,
		half:  new(big.Int).Rsh(order, 1),
		base: point{
			x: number("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
			y: number("483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"),
		},
	}
}

// readMultikey reads a public key as it stands in a DID document: base58btc,
// with the multicodec prefix of secp256k1
// (https://atproto.com/specs/cryptography).
func readMultikey(text string) (publicKey, error) {
	encoded, ok := strings.CutPrefix(text, "z")
	content := decodeBase58(encoded)
	prefix := []byte{0xe7, 0x01}
	if !ok || len(content) != len(prefix)+pointBytes || content[0] != prefix[0] || content[1] != prefix[1] {
		return publicKey{}, errors.New("the key is no secp256k1 key in multibase")
	}
	return readCompressed(content[len(prefix):])
}

// readLegacyKey reads a key in the form that DID documents had before: base58btc
// of the uncompressed point, and no prefix.
func readLegacyKey(text string) (publicKey, error) {
	encoded, ok := strings.CutPrefix(text, "z")
	content := decodeBase58(encoded)
	if !ok || len(content) != 1+2*scalarBytes || content[0] != 4 {
		return publicKey{}, errors.New("the key is no uncompressed secp256k1 key in multibase")
	}
	c := secp256k1()
	p := point{new(big.Int).SetBytes(content[1:pointBytes]), new(big.Int).SetBytes(content[pointBytes:])}
	square := new(big.Int).Mul(p.y, p.y)
	if p.x.Cmp(c.field) >= 0 || p.y.Cmp(c.field) >= 0 || square.Mod(square, c.field).Cmp(c.squareAt(p.x)) != 0 {
		return publicKey{}, errors.New("the key is no point of the curve")
	}
	return publicKey{curve: c, point: p}, nil
}

func readCompressed(compressed []byte) (publicKey, error) {
	c := secp256k1()
	x := new(big.Int).SetBytes(compressed[1:])
	y := new(big.Int).ModSqrt(c.squareAt(x), c.field)
	if y == nil || x.Cmp(c.field) >= 0 || compressed[0]&^1 != 2 {
		return publicKey{}, errors.New("the key is no point of the curve")
	}
	if y.Bit(0) != uint(compressed[0]&1) {
		y.Sub(c.field, y)
	}
	return publicKey{curve: c, point: point{x, y}}, nil
}

// squareAt is the square of y at x.
func (c curve) squareAt(x *big.Int) *big.Int {
	square := new(big.Int).Exp(x, big.NewInt(3), c.field) // x³
	square.Add(square, big.NewInt(curveB))
	return square.Mod(square, c.field)
}

// decodeBase58 gives nil for what is malformed.
func decodeBase58(text string) []byte {
	const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	number, base := new(big.Int), big.NewInt(int64(len(alphabet)))
	for _, r := range text {
		digit := strings.IndexRune(alphabet, r)
		if digit < 0 {
			return nil
		}
		number.Add(number.Mul(number, base), big.NewInt(int64(digit)))
	}
	return number.Bytes()
}

// verifies checks an ECDSA signature (SEC 1, section 4.1.4) in the form of JWS,
// r and s one after the other. As atproto asks, s must be the lower of the two
// that would do.
func (k publicKey) verifies(hash [sha256.Size]byte, signature []byte) bool {
	if len(signature) != 2*scalarBytes {
		return false
	}
	c := k.curve
	r, s := new(big.Int).SetBytes(signature[:scalarBytes]), new(big.Int).SetBytes(signature[scalarBytes:])
	if r.Sign() == 0 || s.Sign() == 0 || r.Cmp(c.order) >= 0 || s.Cmp(c.half) > 0 {
		return false
	}
	inverse := new(big.Int).ModInverse(s, c.order)
	u := new(big.Int).SetBytes(hash[:])
	u.Mod(u.Mul(u, inverse), c.order)
	v := new(big.Int).Mul(r, inverse)
	v.Mod(v, c.order)
	sum := c.add(c.times(c.base, u), c.times(k.point, v))
	return sum.x != nil && new(big.Int).Mod(sum.x, c.order).Cmp(r) == 0
}

func (c curve) times(p point, factor *big.Int) point {
	var product point
	for i := factor.BitLen() - 1; i >= 0; i-- {
		product = c.add(product, product)
		if factor.Bit(i) == 1 {
			product = c.add(product, p)
		}
	}
	return product
}

func (c curve) add(p, q point) point {
	switch {
	case p.x == nil:
		return q
	case q.x == nil:
		return p
	}
	slope := new(big.Int)
	if p.x.Cmp(q.x) == 0 {
		if p.y.Cmp(q.y) != 0 || p.y.Sign() == 0 {
			return point{}
		}
		slope.Mul(big.NewInt(3), new(big.Int).Mul(p.x, p.x)) // of the tangent: 3x² / 2y
		slope.Mul(slope, new(big.Int).ModInverse(new(big.Int).Lsh(p.y, 1), c.field))
	} else {
		width := new(big.Int).Sub(q.x, p.x)
		slope.Sub(q.y, p.y)
		slope.Mul(slope, new(big.Int).ModInverse(width.Mod(width, c.field), c.field))
	}
	x := new(big.Int).Mul(slope, slope)
	x.Sub(x, p.x)
	x.Mod(x.Sub(x, q.x), c.field)
	y := new(big.Int).Sub(p.x, x)
	y.Sub(y.Mul(y, slope), p.y)
	return point{x, y.Mod(y, c.field)}
}

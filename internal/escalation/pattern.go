// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package escalation

import (
	"regexp/syntax"
	"unicode"
)

const (
	// maxWritten bounds a regular expression, in steps, when its counted repeats
	// are written out. It is as many as a rule has bytes, so that only a repeat
	// comes to more.
	maxWritten = maxRule
	// rangesOfStep is how many ranges of letters count as one step more: some
	// classes, such as \pL, are tables of hundreds.
	rangesOfStep = 16
	// unlimited is the upper end of a repeat that has none.
	unlimited = -1
)

// pattern is what a regular expression comes to.
type pattern struct {
	// size is how many steps it has, its counted repeats written out: the memory
	// that it takes.
	size uint64
	// work is how many of these steps can be alive at one letter of a text: the
	// time that it takes for each.
	work uint64
}

// weigh reads a regular expression without writing it out. The error is the
// parser's.
func weigh(expression string) (pattern, error) {
	read, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return pattern{}, err
	}
	return weighed(read), nil
}

// weighed adds up an expression. The parser bounds its depth, and refuses
// repeats that come to more than a thousand, so that nothing overflows.
func weighed(node *syntax.Regexp) pattern {
	sum := pattern{}
	for _, sub := range node.Sub {
		of := weighed(sub)
		sum.size += of.size
		sum.work += of.work
	}
	switch node.Op {
	case syntax.OpLiteral:
		letters := uint64(len(node.Rune))
		return pattern{size: letters, work: alive(node.Rune)}
	case syntax.OpCharClass:
		ranges := uint64(len(node.Rune) / 2 / rangesOfStep)
		return pattern{size: 1 + ranges, work: 1 + min(ranges, 1)}
	case syntax.OpConcat:
		return sum
	case syntax.OpAlternate:
		others := uint64(len(node.Sub[1:]))
		return pattern{size: sum.size + others, work: sum.work + others}
	case syntax.OpRepeat:
		return repeated(node, sum)
	case syntax.OpCapture:
		return pattern{size: sum.size + 2, work: sum.work + 2}
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest:
		return pattern{size: sum.size + 1, work: sum.work + 1}
	}
	if node.Op == syntax.OpAnyChar || node.Op == syntax.OpAnyCharNotNL {
		return pattern{size: 1, work: 1}
	}
	// What looks at both sides, such as \b, takes as long as two letters.
	return pattern{size: 1, work: 2}
}

// repeated writes out a counted repeat: {2,5} as two that must be there and
// three that may.
func repeated(node *syntax.Regexp, once pattern) pattern {
	times, may := uint64(max(node.Min, 1)), uint64(1)
	if node.Max != unlimited {
		times, may = uint64(max(node.Max, 1)), uint64(node.Max-node.Min) //nolint:gosec // G115: neither is, and Max is not below Min
	}
	return pattern{size: times*once.size + may, work: times*once.work + may}
}

// alive is how many steps of a plain text can be alive at one letter: its first
// one always is, and of the others those before which the text that is looked at
// repeats its beginning. Of "refund" two can be; of "aaaa" all.
func alive(letters []rune) uint64 {
	if len(letters) == 0 {
		return 0
	}
	// borders[i] is the length of the longest beginning with which the first i
	// letters end too, and nested how many such beginnings there are, within each
	// other (Knuth, Morris and Pratt's table).
	borders, nested := make([]int, len(letters)), make([]uint64, len(letters))
	most, border := uint64(0), 0
	for i := 1; i < len(letters); i++ {
		if i > 1 {
			for border > 0 && !sameLetter(letters[i-1], letters[border]) {
				border = borders[border]
			}
			if sameLetter(letters[i-1], letters[border]) {
				border++
			}
		}
		borders[i], nested[i] = border, nested[border]+1
		most = max(most, nested[i])
	}
	return 1 + most
}

// sameLetter compares letters whatever their case.
func sameLetter(a, b rune) bool {
	return a == b || unicode.ToLower(a) == unicode.ToLower(b) || unicode.ToUpper(a) == unicode.ToUpper(b)
}

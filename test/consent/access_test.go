// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package consent_test

import (
	"context"
	"fmt"
	"math"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/test/browser"
)

// isAccessible checks one page by the accessibility tree, and the colours that
// are shown.
func (p person) isAccessible(ctx context.Context) {
	GinkgoHelper()
	nodes, err := p.page.Tree(ctx)
	Expect(err).NotTo(HaveOccurred())
	title, err := p.page.Title(ctx)
	Expect(err).NotTo(HaveOccurred())

	count := map[string]int{}
	for _, node := range nodes {
		count[node.Role]++
		switch node.Role {
		case "button", "link", "textbox", "checkbox", "heading", "RootWebArea":
			Expect(node.Name).NotTo(BeEmpty(), "a %s without a name", node.Role)
		case "image", "iframe", "canvas":
			Fail("the page shows a " + node.Role)
		}
	}
	Expect(count["heading"]).To(Equal(1))
	Expect(count["main"]).To(Equal(1))
	Expect(nodes).To(ContainElement(browser.Node{Role: "RootWebArea", Name: title, Focused: nodes[0].Focused}))
	messages, err := p.page.Messages(ctx)
	Expect(err).NotTo(HaveOccurred())
	Expect(messages).NotTo(ContainElement(ContainSubstring("Content Security Policy")), "what the policy forbade")

	for _, colours := range []string{"light", "dark"} {
		Expect(p.page.Prefer(ctx, colours)).To(Succeed())
		p.hasContrast(ctx, "h1", 4.5)
		p.hasContrast(ctx, "p", 4.5)
		if count["link"] > 0 {
			p.hasContrast(ctx, "a", 4.5)
		}
		if count["button"] > 0 {
			p.hasContrast(ctx, "button", 4.5)
		}
	}
}

// hasContrast measures the text of an element against what is behind it (WCAG
// 2.2, success criterion 1.4.3).
func (p person) hasContrast(ctx context.Context, selector string, least float64) {
	GinkgoHelper()
	styles, err := p.page.Styles(ctx, selector, "color", "backgroundColor")
	Expect(err).NotTo(HaveOccurred())
	behind := styles["backgroundColor"]
	if behind == "rgba(0, 0, 0, 0)" {
		body, err := p.page.Styles(ctx, "body", "backgroundColor")
		Expect(err).NotTo(HaveOccurred())
		behind = body["backgroundColor"]
	}
	a, b := luminance(styles["color"]), luminance(behind)
	Expect((math.Max(a, b)+0.05)/(math.Min(a, b)+0.05)).To(BeNumerically(">=", least), "%s: %s on %s", selector, styles["color"], behind)
}

// luminance is that of WCAG 2.2.
func luminance(colour string) float64 {
	GinkgoHelper()
	var channels [3]float64
	_, err := fmt.Sscanf(colour, "rgb(%f, %f, %f)", &channels[0], &channels[1], &channels[2])
	Expect(err).NotTo(HaveOccurred(), colour)
	for i, channel := range channels {
		if channel /= 255; channel <= 0.04045 {
			channels[i] = channel / 12.92
		} else {
			channels[i] = math.Pow((channel+0.055)/1.055, 2.4)
		}
	}
	return 0.2126*channels[0] + 0.7152*channels[1] + 0.0722*channels[2]
}

var _ = Describe("Every page", func() {
	var g *gateway
	var somebody person
	BeforeEach(func(ctx context.Context) {
		g = newGateway()
		newX(g)
		somebody = newPerson(ctx)
	})

	It("can be gone through with the keyboard alone", func(ctx context.Context) {
		Expect(somebody.opens(ctx, g.link())).To(Equal(http.StatusOK))
		somebody.isAccessible(ctx)
		somebody.tabsTo(ctx, "button", "Continue to X")
		outline, err := somebody.page.Styles(ctx, "button", "outlineStyle", "outlineWidth", "minHeight")
		Expect(err).NotTo(HaveOccurred())
		Expect(outline).To(And(HaveKeyWithValue("outlineStyle", "solid"), HaveKeyWithValue("outlineWidth", "3px"), HaveKeyWithValue("minHeight", "44px")))
		somebody.presses(ctx, "Enter")

		somebody.arrives(ctx, "Sign in")
		somebody.tabsTo(ctx, "textbox", "User name")
		somebody.types(ctx, "acme_help")
		somebody.tabsTo(ctx, "textbox", "Password")
		somebody.types(ctx, password)
		somebody.presses(ctx, "Enter")

		somebody.arrives(ctx, "Authorise an application")
		somebody.tabsTo(ctx, "button", "Cancel")
		somebody.presses(ctx, "Enter")

		somebody.arrives(ctx, "You did not agree")
		somebody.isAccessible(ctx)
		somebody.tabsTo(ctx, "link", "Start again")
		somebody.presses(ctx, "Enter")

		somebody.arrives(ctx, "Connect @acme_help on X")
		somebody.tabsTo(ctx, "button", "Continue to X")
		somebody.presses(ctx, "Enter")
		somebody.arrives(ctx, "Authorise an application")
		somebody.tabsTo(ctx, "button", "Authorise")
		somebody.presses(ctx, "Enter")

		somebody.arrives(ctx, "Connected: acme_help")
		somebody.isAccessible(ctx)
		Expect(g.stored()).NotTo(BeNil())
	})

	It("tells assistive technology what is to be told", func(ctx context.Context) {
		somebody.opens(ctx, g.link())
		nodes, err := somebody.page.Tree(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(nodes).To(ContainElements(
			And(HaveField("Role", "heading"), HaveField("Name", "Connect @acme_help on X")),
			And(HaveField("Role", "button"), HaveField("Name", "Continue to X")),
			HaveField("Role", "term"), HaveField("Role", "definition"),
		))

		Expect(somebody.opens(ctx, g.callback()+"?state=nonsense&code=x")).To(Equal(http.StatusBadRequest))
		somebody.isAccessible(ctx)
		nodes, err = somebody.page.Tree(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(nodes).To(ContainElement(HaveField("Role", "alert")))
	})
})

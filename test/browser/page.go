// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"context"
	"maps"
)

// Page is a tab with cookies of its own, as a person's own browser has.
type Page struct {
	browser *Browser
	id      int
}

// Node is one of Chromium's accessibility tree, which is what assistive
// technology reads.
type Node struct {
	Role    string `json:"role"`
	Name    string `json:"name"`
	Focused bool   `json:"focused"`
}

// Cookie as the browser keeps it, without its value.
type Cookie struct {
	Name     string `json:"name"`
	Domain   string `json:"domain"`
	Path     string `json:"path"`
	Secure   bool   `json:"secure"`
	HTTPOnly bool   `json:"httpOnly"`
	SameSite string `json:"sameSite"`
}

// Open opens a page without anything from before, with or without JavaScript.
// It takes any certificate, as a person's browser takes that of a company.
func (b *Browser) Open(ctx context.Context, javaScript bool) (*Page, error) {
	p := &Page{browser: b}
	if err := b.call(ctx, "open", map[string]any{"javaScript": javaScript}, &p.id); err != nil {
		return nil, err
	}
	return p, nil
}

func ask[T any](ctx context.Context, p *Page, operation string, arguments map[string]any) (T, error) {
	var result T
	err := p.call(ctx, operation, arguments, &result)
	return result, err
}

func (p *Page) call(ctx context.Context, operation string, arguments map[string]any, result any) error {
	all := map[string]any{"page": p.id}
	maps.Copy(all, arguments)
	return p.browser.call(ctx, operation, all, result)
}

// Close closes the page and forgets its cookies.
func (p *Page) Close(ctx context.Context) error { return p.call(ctx, "close", nil, nil) }

// Goto opens a URL, and gives the status of the answer in the end.
func (p *Page) Goto(ctx context.Context, url string) (int, error) {
	return ask[int](ctx, p, "goto", map[string]any{"url": url})
}

// Press presses a key, such as "Tab" or "Enter".
func (p *Page) Press(ctx context.Context, key string) error {
	return p.call(ctx, "press", map[string]any{"key": key}, nil)
}

// Type types a text where the focus is.
func (p *Page) Type(ctx context.Context, text string) error {
	return p.call(ctx, "type", map[string]any{"text": text}, nil)
}

// Click clicks what has this role and accessible name.
func (p *Page) Click(ctx context.Context, role, name string) error {
	return p.call(ctx, "click", map[string]any{"role": role, "name": name}, nil)
}

// Fill fills the field with this label.
func (p *Page) Fill(ctx context.Context, label, text string) error {
	return p.call(ctx, "fill", map[string]any{"label": label, "text": text}, nil)
}

// URL of the page.
func (p *Page) URL(ctx context.Context) (string, error) {
	return ask[string](ctx, p, "url", nil)
}

// Title of the page.
func (p *Page) Title(ctx context.Context) (string, error) {
	return ask[string](ctx, p, "title", nil)
}

// Text that the page shows.
func (p *Page) Text(ctx context.Context) (string, error) {
	return ask[string](ctx, p, "body", nil)
}

// Tree is the page's accessibility tree, in the order of the document.
func (p *Page) Tree(ctx context.Context) ([]Node, error) {
	return ask[[]Node](ctx, p, "tree", nil)
}

// Focused is the node that has the focus; the last one in the tree, since the
// document has it too.
func (p *Page) Focused(ctx context.Context) (Node, error) {
	nodes, err := p.Tree(ctx)
	var focused Node
	for _, node := range nodes {
		if node.Focused {
			focused = node
		}
	}
	return focused, err
}

// Messages are what the browser wrote to its console, such as that a policy
// forbade something.
func (p *Page) Messages(ctx context.Context) ([]string, error) {
	return ask[[]string](ctx, p, "messages", nil)
}

// Styles gives CSS properties of the first element that a selector finds, as
// they are shown.
func (p *Page) Styles(ctx context.Context, selector string, properties ...string) (map[string]string, error) {
	return ask[map[string]string](ctx, p, "styles", map[string]any{"selector": selector, "properties": properties})
}

// Prefer sets the person's preferred colours, "light" or "dark".
func (p *Page) Prefer(ctx context.Context, colours string) error {
	return p.call(ctx, "scheme", map[string]any{"colours": colours}, nil)
}

// Cookies that the browser keeps for the page.
func (p *Page) Cookies(ctx context.Context) ([]Cookie, error) {
	return ask[[]Cookie](ctx, p, "cookies", nil)
}

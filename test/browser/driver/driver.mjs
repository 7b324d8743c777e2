// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Drives one Chromium. Each line of standard input is a command, {"id", "op",
// ...}, and is answered by a line {"id", "result"} or {"id", "error"}. It ends,
// with the browser, when standard input is closed.
//
//   node driver.mjs MODULES CHROMIUM
//
// The browser's profile is a new one in TMPDIR.

import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const [modules, executablePath] = process.argv.slice(2)
const require = createRequire(`${modules}/package.json`)
const { chromium } = (await import(pathToFileURL(require.resolve('playwright-core')).href)).default
const WAIT_MS = 15000

const browser = await chromium.launch({
  executablePath,
  headless: true,
  timeout: 60000,
  args: [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
  ],
})
const pages = new Map()
let next = 1

const text = (node) => node?.value ?? ''
// What is worth telling of Chromium's own accessibility tree.
const told = (nodes) => nodes.filter((n) => !n.ignored && !['InlineTextBox', 'none', 'generic'].includes(text(n.role))).map((n) => ({
  role: text(n.role),
  name: text(n.name),
  focused: (n.properties ?? []).some((p) => p.name === 'focused' && p.value.value === true),
}))

async function tree({ cdp }) {
  const { nodes } = await cdp.send('Accessibility.getFullAXTree')
  return told(nodes)
}

const operations = {
  async open({ javaScript }) {
    const context = await browser.newContext({ javaScriptEnabled: javaScript, ignoreHTTPSErrors: true })
    context.setDefaultTimeout(WAIT_MS)
    const page = await context.newPage()
    const cdp = await context.newCDPSession(page)
    await cdp.send('Accessibility.enable')
    const opened = { context, page, cdp, messages: [] }
    page.on('console', (message) => opened.messages.push(message.text()))
    pages.set(next, opened)
    return next++
  },
  close: async ({ page }) => {
    const { context } = pages.get(page)
    pages.delete(page)
    await context.close()
  },
  goto: async ({ page, url }) => {
    const response = await pages.get(page).page.goto(url, { waitUntil: 'load' })
    return response?.status() ?? 0
  },
  // Presses a key, and waits for the page that it may lead to.
  press: async ({ page, key }) => {
    const { page: p } = pages.get(page)
    await p.keyboard.press(key)
    await p.waitForLoadState('load')
  },
  type: ({ page, text: typed }) => pages.get(page).page.keyboard.type(typed),
  click: async ({ page, role, name }) => {
    const { page: p } = pages.get(page)
    await p.getByRole(role, { name, exact: true }).click()
    await p.waitForLoadState('load')
  },
  fill: ({ page, label, text: typed }) => pages.get(page).page.getByLabel(label, { exact: true }).fill(typed),
  url: ({ page }) => pages.get(page).page.url(),
  title: ({ page }) => pages.get(page).page.title(),
  body: ({ page }) => pages.get(page).page.locator('body').innerText(),
  tree: ({ page }) => tree(pages.get(page)),
  messages: ({ page }) => pages.get(page).messages,
  // Colours and sizes as they are shown.
  styles: ({ page, selector, properties }) => pages.get(page).page.locator(selector).first().evaluate(
    (element, names) => Object.fromEntries(names.map((name) => [name, getComputedStyle(element)[name]])), properties),
  scheme: ({ page, colours }) => pages.get(page).page.emulateMedia({ colorScheme: colours }),
  cookies: async ({ page }) => (await pages.get(page).context.cookies()).map(({ name, domain, path, secure, httpOnly, sameSite }) => (
    { name, domain, path, secure, httpOnly, sameSite })),
  version: () => browser.version(),
}

const emit = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)
const input = createInterface({ input: process.stdin })
input.on('close', async () => {
  await browser.close().catch(() => {})
  process.exit(0)
})
input.on('line', async (line) => {
  const { id, op, ...rest } = JSON.parse(line)
  try {
    emit({ id, result: (await operations[op](rest)) ?? null })
  } catch (error) {
    emit({ id, error: String(error?.message ?? error).slice(0, 2000) })
  }
})
emit({ id: 0, result: 'ready' })

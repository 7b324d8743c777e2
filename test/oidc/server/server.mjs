// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Runs an OAuth 2.0 authorisation server on 127.0.0.1. The first line of
// standard input is its configuration; the first line of standard output is
// {"url": ...}. It ends when standard input is closed.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const LOOPBACK = '127.0.0.1'
const MAX_FORM = 16384

const input = createInterface({ input: process.stdin })
const [line] = await once(input, 'line')
const config = JSON.parse(line)
input.on('close', () => process.exit(0))

// What the library prints is not of the protocol.
console.log = console.info = console.warn = console.error

const require = createRequire(`${config.modules}/package.json`)
const { default: Provider } = await import(pathToFileURL(require.resolve('oidc-provider')).href)

const server = createServer()
server.listen(0, LOOPBACK)
await once(server, 'listening')
const url = `http://${LOOPBACK}:${server.address().port}`

const suite = { client_id: config.suite.id, client_secret: config.suite.secret, redirect_uris: [], response_types: [], grant_types: [] }
const application = {
  client_id: config.client.id,
  client_secret: config.client.secret,
  redirect_uris: config.client.redirectUris,
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'client_secret_basic',
}

const provider = new Provider(url, {
  clients: [application, suite],
  scopes: config.scopes,
  routes: config.routes,
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  pkce: { required: () => true },
  issueRefreshToken: (_, client, code) => client.grantTypeAllowed('refresh_token') && code.scopes.has(config.offlineScope),
  rotateRefreshToken: true,
  ttl: { AccessToken: 7200, AuthorizationCode: 60, RefreshToken: 86400, Grant: 86400, Session: 86400, Interaction: 3600 },
  cookies: { keys: [config.suite.secret] },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  features: {
    devInteractions: { enabled: false },
    introspection: { enabled: true, allowedPolicy: (_, client) => client.clientId === config.suite.id },
    revocation: { enabled: true },
  },
})

const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)

function show(res, status, title, content) {
  res.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' })
  res.end(`<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>${escape(title)}</title></head>
<body><main><h1>${escape(title)}</h1>${content}</main></body></html>`)
}

const cancel = '<button type="submit" name="answer" value="cancel">Cancel</button>'

function showLogin(res, wrong) {
  show(res, wrong ? 403 : 200, 'Sign in', `${wrong ? '<p role="alert">Wrong user name or password.</p>' : ''}
<form method="post">
<p><label>User name <input name="login" autocomplete="off"></label></p>
<p><label>Password <input type="password" name="password" autocomplete="off"></label></p>
<p><button type="submit" name="answer" value="login">Sign in</button> ${cancel}</p></form>`)
}

function showConsent(res, { params, prompt }) {
  const boxes = prompt.details.missingOIDCScope ?? []
  show(res, 200, 'Authorise an application', `<form method="post">
<fieldset><legend>${escape(params.client_id)} asks for</legend>
${boxes.map((scope) => `<p><label><input type="checkbox" name="scope" value="${escape(scope)}" checked> ${escape(scope)}</label></p>`).join('\n')}
</fieldset>
<p><button type="submit" name="answer" value="agree">Authorise</button> ${cancel}</p></form>`)
}

async function readForm(req) {
  let body = ''
  for await (const chunk of req) {
    body += chunk
    if (body.length > MAX_FORM) throw new Error('the form is too large')
  }
  return new URLSearchParams(body)
}

async function consent({ params, prompt, session, grantId }, granted) {
  const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
  for (const scope of prompt.details.missingOIDCScope ?? []) {
    if (granted.includes(scope)) grant.addOIDCScope(scope)
    else grant.rejectOIDCScope(scope)
  }
  return { consent: { grantId: await grant.save() } }
}

async function interact(req, res) {
  const details = await provider.interactionDetails(req, res)
  const login = details.prompt.name === 'login'
  if (req.method !== 'POST') return login ? showLogin(res, false) : showConsent(res, details)
  const form = await readForm(req)
  const finish = (result) => provider.interactionFinished(req, res, result, { mergeWithLastSubmission: !login })
  if (form.get('answer') === 'cancel') return finish({ error: 'access_denied', error_description: 'the person did not agree' })
  if (!login) return finish(await consent(details, form.getAll('scope')))
  const account = config.accounts.find((a) => a.login === form.get('login') && a.password === form.get('password'))
  return account ? finish({ login: { accountId: account.id } }) : showLogin(res, true)
}

const serve = provider.callback()
server.on('request', (req, res) => {
  if (!req.url.startsWith('/interaction/')) return serve(req, res)
  interact(req, res).catch((error) => {
    console.error(error)
    if (!res.headersSent) show(res, 400, 'This page is over', '')
  })
})
process.stdout.write(`${JSON.stringify({ url })}\n`)

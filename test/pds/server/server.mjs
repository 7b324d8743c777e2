// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Runs a Bluesky PDS and the PLC directory it registers identities with, in one
// process, on 127.0.0.1 alone. ../README.md describes what it reads and prints.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'

const LOOPBACK = '127.0.0.1'
const SHUTDOWN_GRACE_MS = 5000

const { values: flags } = parseArgs({
  options: {
    modules: { type: 'string' }, // the directory printed by install.sh
    data: { type: 'string' }, // where accounts, keys and logs are kept
    port: { type: 'string', default: '0' }, // 0: chosen by the system
    'plc-port': { type: 'string', default: '0' },
    'rate-limits': { type: 'boolean', default: false },
    'app-view': { type: 'string' }, // where app.bsky.* is answered; default: nowhere
    ephemeral: { type: 'boolean', default: false }, // remove the data if the caller vanishes
  },
})
if (!flags.modules || !flags.data) {
  console.error('usage: node server.mjs --modules DIR --data DIR [--port N] [--plc-port N] [--rate-limits] [--app-view URL] [--ephemeral]')
  process.exit(2)
}
const data = resolve(flags.data)
mkdirSync(data, { recursive: true, mode: 0o700 })

// Both servers read these when they are loaded. Left alone they would log to
// standard output, which carries the protocol.
process.env.LOG_ENABLED = 'true'
process.env.LOG_LEVEL ??= 'info'
process.env.LOG_DESTINATION = join(data, 'pds.log')

// A synchronous write: a line is out before the answer that it speaks of.
const emit = (message) => writeSync(1, `${JSON.stringify(message)}\n`)

/** Keys and passwords made once for each data directory, so that sessions outlive a restart. */
function loadSecrets() {
  const file = join(data, 'secrets.json')
  if (!existsSync(file)) {
    const random = () => randomBytes(32).toString('hex')
    const made = { jwt: random(), dpop: random(), admin: random(), rotationKey: random() }
    writeFileSync(file, JSON.stringify(made), { mode: 0o600, flag: 'wx' })
  }
  return JSON.parse(readFileSync(file, 'utf8'))
}

/**
 * Makes an express application listen on a loopback port that is bound before
 * the application is built, because the PDS must know its own address first.
 */
async function bindLoopback(port) {
  const socket = createServer((connection) => connection.destroy())
  socket.listen(port, LOOPBACK)
  await once(socket, 'listening')
  const attach = (app) => {
    const listen = app.listen.bind(app)
    app.listen = () => listen(socket)
  }
  return { port: socket.address().port, attach }
}

/** An in-memory PLC directory whose operations are kept in a file and replayed after a restart. */
async function openDirectory(Database) {
  const journal = join(data, 'plc.jsonl')
  const db = Database.mock()
  const lines = existsSync(journal) ? readFileSync(journal, 'utf8').split('\n').filter(Boolean) : []
  for (const line of lines) {
    const { did, operation, createdAt } = JSON.parse(line)
    await db.validateAndAddOp(did, operation)
    db.contents[did].at(-1).createdAt = new Date(createdAt)
  }
  const add = db.validateAndAddOp.bind(db)
  db.validateAndAddOp = async (did, operation) => {
    await add(did, operation)
    const { createdAt } = db.contents[did].at(-1)
    appendFileSync(journal, `${JSON.stringify({ did, operation, createdAt })}\n`)
  }
  return db
}

async function startDirectory({ PlcServer, Database }) {
  const { port, attach } = await bindLoopback(Number(flags['plc-port']))
  const plc = PlcServer.create({ db: await openDirectory(Database), port })
  attach(plc.app)
  await plc.start()
  return { plc, url: `http://${LOOPBACK}:${port}` }
}

function configuration({ envToCfg, envToSecrets }, port, plcUrl) {
  const secrets = loadSecrets()
  const env = {
    port,
    hostname: 'localhost',
    devMode: true,
    dataDirectory: data,
    blobstoreDiskLocation: join(data, 'blobs'),
    blobstoreDiskTmpLocation: join(data, 'blobs-tmp'),
    didPlcUrl: plcUrl,
    serviceHandleDomains: ['.test'],
    enableDidDocWithSession: true, // as the public service does
    inviteRequired: false,
    rateLimitsEnabled: flags['rate-limits'],
    bskyAppViewUrl: flags['app-view'],
    bskyAppViewDid: flags['app-view'] && 'did:web:appview.test',
    jwtSecret: secrets.jwt,
    dpopSecret: secrets.dpop,
    adminPassword: secrets.admin,
    plcRotationKeyK256PrivateKeyHex: secrets.rotationKey,
  }
  return [envToCfg(env), envToSecrets(env)]
}

async function startPDS(library, plcUrl) {
  const { port, attach } = await bindLoopback(Number(flags.port))
  const pds = await library.PDS.create(...configuration(library, port, plcUrl))
  attach(pds.app)
  const server = await pds.start()
  server.prependListener('request', record)
  return { pds, url: `http://${LOOPBACK}:${port}` }
}

let requests = 0

/** Reports every XRPC request when it arrives and when it is answered. */
function record(request, response) {
  const method = /^\/xrpc\/([^/?]+)/.exec(request.url)?.[1]
  if (!method) return
  const id = ++requests
  emit({ request: { id, method, at: Date.now(), agent: request.headers['user-agent'] ?? '' } })
  response.once('finish', () => emit({ answer: { id, status: response.statusCode } }))
}

/** Serves the caller's commands, and calls onEnd when the caller is gone. */
function listenToCaller(onEnd) {
  const lines = createInterface({ input: process.stdin })
  lines.on('line', (line) => emit({ sync: line }))
  lines.on('close', onEnd)
}

async function main() {
  const require = createRequire(join(resolve(flags.modules), 'package.json'))
  const { plc, url: plcUrl } = await startDirectory(require('@did-plc/server'))
  const { pds, url } = await startPDS(require('@atproto/pds'), plcUrl)

  let stopping = false
  const stop = async (removeData) => {
    if (stopping) return
    stopping = true
    setTimeout(() => process.exit(1), SHUTDOWN_GRACE_MS).unref()
    await pds.destroy()
    await plc.destroy()
    if (removeData) rmSync(data, { recursive: true, force: true })
    process.exit(0)
  }
  process.on('SIGTERM', () => stop(false))
  process.on('SIGINT', () => stop(false))
  // A caller that vanished reads no more: its pipe answers EPIPE.
  process.on('uncaughtException', (error) => {
    if (error.code === 'EPIPE') return stop(flags.ephemeral)
    console.error(error)
    process.exit(1)
  })
  listenToCaller(() => stop(flags.ephemeral))
  emit({ url, plcUrl, pid: process.pid, secretsFile: join(data, 'secrets.json'), logFile: process.env.LOG_DESTINATION })
}

await main()

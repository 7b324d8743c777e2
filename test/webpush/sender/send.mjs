// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Encrypts Web Push messages with the npm package web-push, and sends them.
//
//   node send.mjs DIRECTORY-OF-THE-INSTALL
//
// Each line of standard input is a job, each line of standard output its
// result; both are JSON objects with the same id. The program ends with its
// input.
import { createRequire } from 'node:module'
import { request as http } from 'node:http'
import { request as https } from 'node:https'
import { createInterface } from 'node:readline'
import path from 'node:path'

const webpush = createRequire(path.join(process.argv[2], 'package.json'))('web-push')

const TIMEOUT = 5000 // milliseconds

// encrypt gives headers and body as web-push makes them. It could send them
// itself, but only to https.
function encrypt (job) {
  return webpush.generateRequestDetails(
    { endpoint: job.endpoint, keys: { p256dh: job.p256dh, auth: job.auth } },
    Buffer.from(job.payload, 'base64'),
    {
      contentEncoding: job.standard ? 'aes128gcm' : 'aesgcm',
      vapidDetails: { subject: 'mailto:admin@elsewhere.example', publicKey: job.vapidPublic, privateKey: job.vapidPrivate },
      TTL: 172800
    }
  )
}

function send (details) {
  const request = details.endpoint.startsWith('https:') ? https : http
  return new Promise((resolve, reject) => {
    const sent = request(details.endpoint, { method: details.method, headers: details.headers, timeout: TIMEOUT }, (answer) => {
      answer.resume()
      answer.on('end', () => resolve(answer.statusCode))
      answer.on('error', reject)
    })
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')))
    sent.on('error', reject)
    sent.end(details.body)
  })
}

async function handle (job) {
  const details = encrypt(job)
  if (job.send) return { id: job.id, status: await send(details) }
  return { id: job.id, headers: details.headers, body: details.body.toString('base64') }
}

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line)
  handle(job)
    .catch((error) => ({ id: job.id, error: error.message }))
    .then((result) => process.stdout.write(JSON.stringify(result) + '\n'))
}

// SPDX-License-Identifier: Apache-2.0
// Two clients of the npm package bittorrent-tracker in one swarm. Arguments: announce URL, info-hashes.
// Prints one JSON object: what the tracker said at each step.
import Client from 'bittorrent-tracker'

const [announce, ...hashes] = process.argv.slice(2)
const said = { warnings: [] }

function client (port) {
  const c = new Client({ infoHash: hashes[0], peerId: Buffer.from(`-XX0001-${port}`.padEnd(20, 'x')), announce, port })
  c.peers = []
  c.on('warning', warning => said.warnings.push(String(warning)))
  c.on('error', error => said.warnings.push(String(error)))
  c.on('peer', peer => c.peers.push(peer))
  return c
}

// One request, and the event that tells its answer; the peers have been emitted by the next turn.
function ask (c, request, opts, event = 'update') {
  c.peers = []
  return new Promise(resolve => {
    c.once(event, data => setImmediate(() => resolve({ ...data, peers: c.peers })))
    c[request](opts)
  })
}

const summary = ({ complete, incomplete, peers }) => ({ complete, incomplete, peers })

const first = client(7001)
const second = client(7002)
said['first alone'] = summary(await ask(first, 'start', { left: 1000 }))
said.second = summary(await ask(second, 'start', { left: 1000 }))
await ask(first, 'update', { left: 500, downloaded: 500 })
said.completed = summary(await ask(first, 'complete', { left: 0, downloaded: 1000 }))
const { complete, incomplete, downloaded } = await ask(first, 'scrape', {}, 'scrape')
said.scrape = { complete, incomplete, downloaded }
// Over UDP it takes bytes only, over HTTP hexadecimal only, whose rows it then names by the hexadecimal of that.
const udp = announce.startsWith('udp')
const infoHash = udp ? hashes.map(h => Buffer.from(h, 'hex')) : hashes
const rows = await new Promise((resolve, reject) =>
  Client.scrape({ announce, infoHash }, (error, rows) => error ? reject(error) : resolve(rows)))
said['scrape of three'] = Object.fromEntries(hashes.map(h => {
  const row = rows[udp ? h : Buffer.from(h).toString('hex')]
  return [h, row && [row.complete, row.incomplete, row.downloaded]]
}))
await ask(first, 'stop', { left: 0, downloaded: 1000 })
await ask(second, 'stop', { left: 1000 })
console.log(JSON.stringify(said))
first.destroy()
second.destroy()

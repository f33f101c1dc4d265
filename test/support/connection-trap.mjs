// Loaded before a program (node --import): appends a line to the file CONNECTION_TRAP for each attempt to reach somebody over
// the network, whether or not it succeeds, and lets it go on. Everything in Node that connects comes through here: http, tls
// and fetch open sockets of net.
import dgram from 'node:dgram';
import dns from 'node:dns';
import { appendFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

const file = process.env['CONNECTION_TRAP'] ?? '';

/** @param {string} what @param {unknown[]} words */
function caught(what, words) {
  appendFileSync(
    file,
    `${process.pid} ${what} ${JSON.stringify(words.filter((word) => typeof word !== 'function'))}\n`,
  );
}

/** @typedef {(this: unknown, ...words: unknown[]) => unknown} Method */

/**
 * @param {object} owner
 * @param {string} name
 * @param {(first: unknown) => boolean} isOutgoing
 */
function trap(owner, name, isOutgoing = () => true) {
  const methods = /** @type {Record<string, Method>} */ (owner);
  const original = /** @type {Method} */ (methods[name]);
  methods[name] = function (...words) {
    if (isOutgoing(words[0])) caught(name, words);
    return original.apply(this, words);
  };
}

trap(net.Socket.prototype, 'connect', (first) => {
  const options = /** @type {unknown} */ (Array.isArray(first) ? first.at(0) : first);
  const { path } = /** @type {{ path?: unknown }} */ (options ?? {});
  return typeof path !== 'string'; // a pipe on this machine has one
});
for (const name of ['send', 'connect']) trap(dgram.Socket.prototype, name);
for (const owner of [dns, dns.promises]) {
  for (const name of Object.keys(owner).filter((key) => /^(lookup|resolve|reverse)/.test(key))) {
    trap(owner, name, (host) => net.isIP(String(host)) === 0 && host !== null); // an address is not asked for
  }
}
syncBuiltinESMExports(); // for those who import them by name

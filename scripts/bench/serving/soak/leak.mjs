// A leak on purpose, for the check of memory to catch: keeps so many bytes of every request for ever. Preloaded into the
// service by NODE_OPTIONS, so that the service knows nothing of it.
import { Buffer } from 'node:buffer';
import { subscribe } from 'node:diagnostics_channel';

const BYTES = Number(process.env['PLANTED_LEAK_BYTES']);

/** @type {Buffer[]} */
const kept = [];
subscribe('http.server.request.start', () => kept.push(Buffer.alloc(BYTES, 1)));

// Prints which pictures can be decoded: a process of its own, which a library that does not load, or crashes, takes with it.
import { decodersInForce } from '../image/decoders-in-force.ts';

process.stdout.write(`${JSON.stringify(await decodersInForce())}\n`);

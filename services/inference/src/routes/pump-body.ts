import type { IncomingMessage } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { DomainError } from '@atelier/domain';
import { setOwnPace } from '@atelier/http';
import type { OnlineTraffic } from '../batching/online-traffic.ts';
import { Arrival, type ArrivalLimits } from './arrival.ts';

/** Between two pieces of a body, while somebody waits for an answer: about 30 MB a second. */
const PAUSE_MS = 2;

export interface PumpParts {
  traffic: OnlineTraffic;
  /** In place of the time that other requests have to arrive. */
  arrival: ArrivalLimits;
}

/**
 * Gives the pieces of a request's body to `sink`, the next one when it has taken the last; and leaves others time between
 * them when there are others. Rejects with the reason of `sink` and of `signal`, with `malformed-body` when the client
 * leaves, and with `upload-timeout` when it keeps the service waiting. What is left unread is for `sendProblem`: the request
 * stays open.
 */
export function pumpBody(
  request: IncomingMessage,
  sink: (piece: Buffer) => Promise<void>,
  { traffic, arrival: limits }: PumpParts,
  signal: AbortSignal,
): Promise<void> {
  setOwnPace(request);
  return new Promise((resolve, reject) => {
    let isOver = false;
    const letGo = () => {
      isOver = true;
      arrival.stop();
      request.off('data', take).off('end', end).off('close', gone);
      signal.removeEventListener('abort', abort);
    };
    const fail = (error: Error) => {
      letGo();
      request.pause();
      reject(error);
    };
    const arrival = new Arrival(limits, fail);
    let taking = Promise.resolve();
    const take = (piece: Buffer) => {
      arrival.came(piece.length);
      request.pause();
      const taken = async () => {
        if (traffic.isRecent) await setTimeout(PAUSE_MS);
        await sink(piece);
        signal.throwIfAborted();
      };
      taking = taken();
      taking.then(() => {
        if (isOver) return;
        arrival.wait();
        request.resume();
      }, fail);
    };
    // A stream that is paused over its last piece ends all the same.
    const end = () => {
      isOver = true;
      arrival.stop();
      request.off('close', gone);
      taking.then(() => {
        letGo();
        resolve();
      }, fail);
    };
    const gone = () => fail(new DomainError('malformed-body', 'The client left before its body had arrived.'));
    const abort = () => fail(signal.reason as Error);
    if (signal.aborted) {
      abort();
      return;
    }
    signal.addEventListener('abort', abort);
    arrival.wait();
    request.on('error', () => undefined); // `close` says the same
    request.on('data', take).once('end', end).once('close', gone);
  });
}

import type { IncomingMessage } from 'node:http';

const PACED = new WeakSet<IncomingMessage>();

/**
 * From now on whoever reads this request's body says how long it may take to arrive: uploads that go to the disk may take an hour on
 * a slow line, and those that are answered while they come are slow where their answers are read slowly.
 */
export function setOwnPace(request: IncomingMessage): void {
  PACED.add(request);
}

export function hasOwnPace(request: IncomingMessage | undefined): boolean {
  return request !== undefined && !request.complete && PACED.has(request);
}

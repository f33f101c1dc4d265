import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';

export interface Answer {
  status: number;
  body: string;
}

export interface ConstantRequests {
  /** Every answer so far goes through `look`; what it throws, or a connection that breaks, ends up here. */
  readonly failures: unknown[];
  readonly answered: number;
  stop(): Promise<void>;
}

/** Sends the same JSON to `url` over so many connections, one request after the other on each, until it is stopped. */
export function constantRequests(
  url: string,
  json: string,
  connections: number,
  look: (answer: Answer) => void,
): ConstantRequests {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const failures: unknown[] = [];
  const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(json) };
  let answered = 0;
  let running = true;

  async function sendOn(): Promise<void> {
    while (running) {
      try {
        const sent = request(url, { method: 'POST', agent, headers }).end(json);
        const [response] = (await once(sent, 'response')) as [IncomingMessage];
        look({ status: response.statusCode ?? 0, body: await text(response) });
        answered++;
      } catch (failure) {
        failures.push(failure);
      }
    }
  }

  const senders = Array.from({ length: connections }, sendOn);
  return {
    failures,
    get answered() {
      return answered;
    },
    async stop() {
      running = false;
      await Promise.all(senders);
      agent.destroy();
    },
  };
}

import type { BodyBudget, Log, SpanSink } from '@atelier/http';
import type { InferenceAccess } from '../access.ts';
import type { CallObserver } from './call-record.ts';
import type { MethodParts } from './methods.ts';

export interface GrpcOptions {
  host: string;
  /** 0: any free one. */
  port: number;
  maximumBodyBytes: number;
  access: InferenceAccess;
  log: Log;
  /** How long `close` waits for what is in flight. Default: 10 s, as for HTTP. */
  graceMs?: number;
  /** How long a message may take to arrive. Default: 5 min. */
  arrivalLimitMs?: number;
  /** How long a client may leave its answer unread before the call is cut off. Default: 5 min. */
  stalledMs?: number;
  /** How long a connection stays open without a call, in ms. Default: for ever, and so is 0. */
  keepAliveMs?: number;
  /** Connections at a time, of each address that the host has; one more is closed as it comes. Default: as many as come. */
  maximumConnections?: number;
  /** Out of which messages are held until their calls end. Default: no limit. */
  bodies?: BodyBudget;
  /** Is told of every call. */
  calls?: CallObserver;
  /** Where each call goes as a span of a trace. Default: nowhere. */
  spans?: SpanSink;
}

export interface RunningGrpc {
  /** For example `127.0.0.1:8001`. */
  address: string;
  /** Lets it be known that the service stops, takes no more calls, and resolves when those in flight have been answered or cut off. */
  close(): Promise<void>;
}

/**
 * Listens with the service, its health and its reflection; `address-unavailable` says why it cannot. What it is made of is
 * loaded here and not before: who does not want it neither waits for it nor holds it in memory.
 */
export async function startGrpc(parts: MethodParts, options: GrpcOptions): Promise<RunningGrpc> {
  const { listenForGrpc } = await import('./server.ts');
  return listenForGrpc(parts, options);
}

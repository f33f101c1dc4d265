import { DomainError } from '@atelier/domain';
import { bearerToken, type Log, parseTraceparent, requestIdFrom } from '@atelier/http';
import { Metadata, ServerInterceptingCall, type ServerInterceptor, status as STATUS } from '@grpc/grpc-js';
import type { InferenceAccess } from '../access.ts';
import { INFER_PATH, isHealth, scopeOf } from './access.ts';
import { failureOf, sendable } from './status.ts';

/** Health and readiness are asked every few seconds for ever; their lines would bury the others. */
const PROBE = /\/(Server(Live|Ready)|ModelReady)$/;

export interface CallRules {
  access: InferenceAccess;
  /** Throws `overloaded` where there is no room for what a `ModelInfer` would bring. */
  admit: () => void;
  /** Called before a question after the health is answered. */
  refreshHealth: () => void;
  /** How long a message may take to arrive. */
  arrivalLimitMs: number;
  log: Log;
}

/** What holds for every call, whichever service it is for. */
export class Calls {
  /** Streams end when one of both sides likes; the server's side of each. */
  readonly #streams = new Set<ServerInterceptingCall>();
  readonly #rules: CallRules;

  constructor(rules: CallRules) {
    this.#rules = rules;
  }

  /** Ends the streams, which would otherwise hold up the end of the server. */
  endStreams(): void {
    const failure = failureOf(new DomainError('shutting-down', 'The service is stopping.'));
    for (const stream of this.#streams) stream.sendStatus(failure);
  }

  /**
   * Gives each call an id, the caller's `x-request-id` where that is sane, and returns it in the metadata; checks its key, and
   * whether there is room, before its message is read; ends a call whose message does not arrive; writes a line when it has ended.
   */
  readonly interceptor: ServerInterceptor = ({ path, requestStream, responseStream }, next) => {
    const { access, admit, refreshHealth, arrivalLimitMs, log } = this.#rules;
    const started = performance.now();
    const isStream = requestStream || responseStream;
    let requestId = '';
    let traceId: string | undefined;
    let key: string | undefined;
    let ended: { code: STATUS; errorCode: unknown } | undefined;
    let hasSentMetadata = false;
    let arrival: NodeJS.Timeout | undefined;

    const enter = (metadata: Metadata): void => {
      requestId = requestIdFrom(textIn(metadata, 'x-request-id'));
      metadata.set('x-request-id', requestId);
      traceId = parseTraceparent(textIn(metadata, 'traceparent'))?.traceId;
      const scope = scopeOf(path);
      if (scope !== 'open') key = access.authorize(bearerToken(textIn(metadata, 'authorization')), scope) ?? undefined;
      if (path === INFER_PATH) admit();
      if (isHealth(path)) refreshHealth();
    };
    const call = new ServerInterceptingCall(next, {
      start: (listen) => {
        listen({
          onReceiveMetadata: (metadata, pass) => {
            try {
              enter(metadata);
            } catch (error) {
              call.sendStatus(failureOf(error));
              return;
            }
            if (isStream) this.#streams.add(call);
            else arrival = setTimeout(() => call.sendStatus(failureOf(tooSlow(arrivalLimitMs))), arrivalLimitMs);
            pass(metadata);
          },
          onReceiveHalfClose: (pass) => {
            clearTimeout(arrival);
            pass();
          },
          // Comes at the end of every call, answered or not.
          onCancel: () => {
            clearTimeout(arrival);
            this.#streams.delete(call);
            const tooLate = Number(next.getDeadline()) <= Date.now(); // that status the library sends past us
            const code = ended?.code ?? (tooLate ? STATUS.DEADLINE_EXCEEDED : undefined);
            const durationMs = Math.round((performance.now() - started) * 100) / 100;
            const status = code === undefined ? null : STATUS[code];
            const line = { requestId, traceId, method: path, status, code: ended?.errorCode, key, durationMs };
            const message = code === undefined ? 'Client left' : 'Answered';
            log[isHealth(path) || PROBE.test(path) ? 'debug' : 'info'](line, message);
          },
        });
      },
      sendMetadata: (metadata, pass) => {
        hasSentMetadata = true;
        metadata.set('x-request-id', requestId);
        pass(metadata);
      },
      sendStatus: (status, pass) => {
        const metadata = status.metadata?.clone() ?? new Metadata();
        if (!hasSentMetadata) metadata.set('x-request-id', requestId);
        ended ??= { code: status.code ?? STATUS.UNKNOWN, errorCode: metadata.get('x-error-code')[0] };
        pass({ ...status, details: sendable(status.details ?? ''), metadata });
      },
    });
    return call;
  };
}

/** The value of a key that came once. */
function textIn(metadata: Metadata, key: string): string | undefined {
  const [value, ...others] = metadata.get(key);
  return typeof value === 'string' && others.length === 0 ? value : undefined;
}

function tooSlow(limitMs: number): DomainError {
  return new DomainError('deadline-exceeded', `The message had not arrived after ${limitMs} ms.`);
}

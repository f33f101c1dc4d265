import { constants } from 'node:http2';
import { DomainError } from '@atelier/domain';
import { bearerToken, type BodyBudget, BodyLease } from '@atelier/http';
import { Metadata, ServerInterceptingCall, type ServerInterceptor, status as STATUS } from '@grpc/grpc-js';
import type { InferenceAccess } from '../access.ts';
import { INFER_PATH, isHealth, scopesOf } from './access.ts';
import { type CalledMethod, CallRecord, type CallWitnesses, textIn } from './call-record.ts';
import { decompress } from './decompress.ts';
import type { Http2Call, Http2Streams } from './http2-streams.ts';
import { MessageBytes } from './message-bytes.ts';
import { failureOf, sendable } from './status.ts';

export interface CallRules {
  access: InferenceAccess;
  /** Throws `overloaded` where there is no room for what a `ModelInfer` would bring. */
  admit: () => void;
  /** Called before a question after the health is answered. */
  refreshHealth: () => void;
  /** How long a message may take to arrive. */
  arrivalLimitMs: number;
  /** How long an answer may stay unread. */
  stalledMs: number;
  /** Of one message. */
  maximumBytes: number;
  /** Out of which the messages of all calls are held until these end. */
  bodies: BodyBudget;
  streams: Http2Streams;
}

/** What holds for every call, whichever service it is for. */
export class Calls {
  /** Streams end when one of both sides likes; the server's side of each. */
  readonly #streams = new Set<ServerInterceptingCall>();
  readonly #rules: CallRules;
  readonly #witnesses: CallWitnesses;

  constructor(rules: CallRules, witnesses: CallWitnesses) {
    this.#rules = rules;
    this.#witnesses = witnesses;
  }

  /** Ends the streams, which would otherwise hold up the end of the server. */
  endStreams(): void {
    const failure = failureOf(new DomainError('shutting-down', 'The service is stopping.'));
    for (const stream of this.#streams) stream.sendStatus(failure);
  }

  /** A call of a method that there is not has ended; the library has answered it. */
  unknown(path: string): void {
    const record = new CallRecord(path.slice(0, 1024), UNKNOWN, this.#witnesses);
    record.answered(STATUS.UNIMPLEMENTED, undefined);
    record.end();
  }

  /**
   * Gives each call an id; checks its key, and whether there is room, before its message is read, and while it comes; ends a
   * call whose message does not arrive or whose answer is not read; and sees to it that its end is told.
   */
  readonly interceptor: ServerInterceptor = ({ path, requestStream, responseStream }, next) => {
    const { access, admit, refreshHealth, arrivalLimitMs, stalledMs, streams } = this.#rules;
    const record = new CallRecord(path, methodOf(path, requestStream, responseStream), this.#witnesses);
    let http2: Http2Call | undefined;
    let bytes: MessageBytes | undefined;
    let lease: BodyLease | undefined;
    let hasSentMetadata = false;
    let arrival: NodeJS.Timeout | undefined;
    let stalled: NodeJS.Timeout | undefined;

    const enter = (metadata: Metadata): void => {
      record.identify(metadata);
      const [scope, ...others] = scopesOf(path);
      if (scope !== undefined) {
        const token = bearerToken(textIn(metadata, 'authorization'));
        record.key = access.authorize(token, scope, ...others) ?? undefined;
      }
      if (path === INFER_PATH) admit();
      if (isHealth(path)) refreshHealth();
    };
    const refuse = (error: unknown) => {
      clearTimeout(arrival);
      call.sendStatus(failureOf(error));
    };
    const awaitMessage = () => {
      arrival ??= setTimeout(() => refuse(tooSlow(arrivalLimitMs)), arrivalLimitMs);
    };
    const arrived = () => {
      clearTimeout(arrival);
      arrival = undefined;
    };
    const guard = ({ stream, encoding }: Http2Call): void => {
      const { maximumBytes, bodies } = this.#rules;
      const held = (lease = new BodyLease(bodies));
      const counted = (bytes = new MessageBytes(held, {
        maximumBytes,
        many: requestStream,
        expands: encoding === undefined,
      }));
      const take = (chunk: Buffer) => {
        try {
          counted.arrived(chunk);
          if (!requestStream) return;
          if (counted.isIncomplete) awaitMessage();
          else arrived();
        } catch (error) {
          stream.off('data', take);
          refuse(error);
        }
      };
      stream.prependListener('data', take); // the library takes no more of a call that has been refused
      stream.once('close', () => held.end());
    };
    /** An answer that is not read keeps its call, and that its message. */
    const limitReading = () => {
      const stream = http2?.stream;
      if (stream === undefined || stalled !== undefined) return;
      stalled = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), stalledMs);
      stream.once('close', () => clearTimeout(stalled));
    };
    const call = new ServerInterceptingCall(next, {
      start: (listen) => {
        listen({
          onReceiveMetadata: (metadata, pass) => {
            http2 = streams.take(metadata);
            try {
              enter(metadata);
            } catch (error) {
              refuse(error);
              return;
            }
            if (http2 !== undefined) guard(http2);
            if (requestStream || responseStream) this.#streams.add(call);
            if (!requestStream) awaitMessage();
            pass(metadata);
          },
          onReceiveMessage: (message: unknown, pass) => {
            bytes?.handedOn();
            if (bytes?.isCompressed !== true || http2?.encoding === undefined || !Buffer.isBuffer(message)) {
              pass(message);
              return;
            }
            decompress(message, http2.encoding, this.#rules.maximumBytes)
              .then((decompressed) => {
                lease?.take(decompressed.length);
                pass(decompressed);
              })
              .catch(refuse);
          },
          onReceiveHalfClose: (pass) => {
            arrived();
            pass();
          },
          // Comes at the end of every call, answered or not.
          onCancel: () => {
            arrived();
            this.#streams.delete(call);
            const tooLate = Number(next.getDeadline()) <= Date.now(); // that status the library sends past us
            if (tooLate) record.answered(STATUS.DEADLINE_EXCEEDED, undefined);
            record.end();
            // Who has its answer need not send the rest (RFC 9113, section 8.1).
            if (http2?.stream.readableEnded === false) http2.stream.close();
          },
        });
      },
      sendMetadata: (metadata, pass) => {
        hasSentMetadata = true;
        record.sign(metadata);
        if (!responseStream) limitReading();
        pass(metadata);
      },
      sendStatus: (status, pass) => {
        const metadata = status.metadata?.clone() ?? new Metadata();
        if (!hasSentMetadata) record.sign(metadata);
        record.answered(status.code ?? STATUS.UNKNOWN, metadata);
        limitReading();
        pass({ ...status, details: sendable(status.details ?? ''), metadata });
      },
    });
    return call;
  };
}

const UNKNOWN: CalledMethod = { type: 'unary', service: 'none', method: 'none' };

/** Of a path such as `/inference.GRPCInferenceService/ModelInfer`. */
function methodOf(path: string, requestStream: boolean, responseStream: boolean): CalledMethod {
  const [, service = 'none', method = 'none'] = path.split('/');
  if (requestStream) return { type: responseStream ? 'bidi_stream' : 'client_stream', service, method };
  return { type: responseStream ? 'server_stream' : 'unary', service, method };
}

function tooSlow(limitMs: number): DomainError {
  return new DomainError('deadline-exceeded', `The message had not arrived after ${limitMs} ms.`);
}

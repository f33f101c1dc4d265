import { constants } from 'node:http2';
import { DomainError } from '@atelier/domain';
import { bearerToken, type BodyBudget, BodyLease, RetryLater } from '@atelier/http';
import { Metadata, ServerInterceptingCall, type ServerInterceptor, status as STATUS } from '@grpc/grpc-js';
import type { InferenceAccess } from '../access.ts';
import { INFER_PATH, isHealth, scopesOf } from './access.ts';
import { type CallRecord, textIn } from './call-record.ts';
import { decompress } from './decompress.ts';
import { type Http2Call, type Http2Streams, sentStatus } from './http2-streams.ts';
import { MessageBytes } from './message-bytes.ts';
import { failureOf, sendable } from './status.ts';

/**
 * Of a stream, in messages: what it answers waits here until it is read, and becomes many times as large as what was asked.
 * Clients ask the next thing when they have the answer.
 */
const MOST_UNANSWERED = 100;

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

type Method = Parameters<ServerInterceptor>[0];
type NextCall = Parameters<ServerInterceptor>[1];
type StatusToSend = Parameters<ServerInterceptingCall['sendStatus']>[0];

/**
 * One call, between the library and its method: gives it an id; checks its key, and whether there is room, before its
 * message is read, and while it comes; ends it when its message does not arrive or its answer is not read.
 */
export class GuardedCall {
  /** What the library is to go on with. */
  readonly intercepted: ServerInterceptingCall;
  readonly #method: Method;
  readonly #next: NextCall;
  readonly #record: CallRecord;
  readonly #rules: CallRules;
  readonly #open: Set<ServerInterceptingCall>;
  #http2: Http2Call | undefined;
  #bytes: MessageBytes | undefined;
  #lease: BodyLease | undefined;
  #hasSentMetadata = false;
  #unanswered = 0;
  #arrival: NodeJS.Timeout | undefined;
  #stalled: NodeJS.Timeout | undefined;

  /** `open`: where it stands while it is a stream and has not ended. */
  constructor(method: Method, next: NextCall, record: CallRecord, rules: CallRules, open: Set<ServerInterceptingCall>) {
    this.#method = method;
    this.#next = next;
    this.#record = record;
    this.#rules = rules;
    this.#open = open;
    this.intercepted = new ServerInterceptingCall(next, {
      start: (listen) => {
        listen({
          onReceiveMetadata: (metadata, pass) => {
            if (this.#begin(metadata)) pass(metadata);
          },
          onReceiveMessage: (message: unknown, pass) => this.#handOn(message, pass),
          onReceiveHalfClose: (pass) => {
            this.#arrived();
            pass();
          },
          onCancel: () => this.#end(),
        });
      },
      sendMetadata: (metadata, pass) => {
        this.#hasSentMetadata = true;
        record.sign(metadata);
        if (!method.responseStream) this.#limitReading();
        pass(metadata);
      },
      sendMessage: (message, pass) => {
        this.#unanswered--;
        pass(message);
      },
      sendStatus: (status, pass) => pass(this.#signed(status)),
    });
  }

  /** Whether it may go on. */
  #begin(metadata: Metadata): boolean {
    const { requestStream, responseStream } = this.#method;
    this.#http2 = this.#rules.streams.take(metadata);
    try {
      this.#enter(metadata);
    } catch (error) {
      this.#refuse(error);
      return false;
    }
    if (this.#http2 !== undefined) this.#guard(this.#http2);
    if (requestStream || responseStream) this.#open.add(this.intercepted);
    if (!requestStream) this.#awaitMessage();
    return true;
  }

  #enter(metadata: Metadata): void {
    const { path } = this.#method;
    const { access, admit, refreshHealth } = this.#rules;
    this.#record.identify(metadata);
    const [scope, ...others] = scopesOf(path);
    if (scope !== undefined) {
      const token = bearerToken(textIn(metadata, 'authorization'));
      this.#record.key = access.authorize(token, scope, ...others) ?? undefined;
    }
    if (path === INFER_PATH) admit();
    if (isHealth(path)) refreshHealth();
  }

  /** Counts its bytes as they come, below the library, which has the whole message before it shows any of it. */
  #guard({ stream, encoding }: Http2Call): void {
    const { maximumBytes, bodies } = this.#rules;
    const many = this.#method.requestStream;
    const lease = (this.#lease = new BodyLease(bodies));
    const bytes = (this.#bytes = new MessageBytes(lease, { maximumBytes, many, expands: encoding === undefined }));
    const take = (chunk: Buffer) => {
      try {
        bytes.arrived(chunk);
        if (!many) return;
        if (bytes.isIncomplete) this.#awaitMessage();
        else this.#arrived();
      } catch (error) {
        stream.off('data', take);
        this.#refuse(error);
      }
    };
    stream.prependListener('data', take); // the library takes no more of a call that has been refused
    stream.once('close', () => lease.end());
  }

  #handOn(message: unknown, pass: (message: unknown) => void): void {
    this.#bytes?.handedOn();
    const { requestStream, responseStream } = this.#method;
    if (requestStream && responseStream && ++this.#unanswered > MOST_UNANSWERED) {
      this.#refuse(
        new RetryLater('overloaded', `${MOST_UNANSWERED} messages of this stream wait for their answers.`, 1),
      );
      return;
    }
    if (this.#bytes?.isCompressed !== true || this.#http2?.encoding === undefined || !Buffer.isBuffer(message)) {
      pass(message);
      return;
    }
    decompress(message, this.#http2, this.#rules.maximumBytes)
      .then((decompressed) => {
        this.#lease?.take(decompressed.length);
        pass(decompressed);
      })
      .catch((error: unknown) => this.#refuse(error));
  }

  #awaitMessage(): void {
    const { arrivalLimitMs } = this.#rules;
    this.#arrival ??= setTimeout(() => this.#refuse(tooSlow(arrivalLimitMs)), arrivalLimitMs);
  }

  #arrived(): void {
    clearTimeout(this.#arrival);
    this.#arrival = undefined;
  }

  #refuse(error: unknown): void {
    clearTimeout(this.#arrival);
    this.intercepted.sendStatus(failureOf(error));
  }

  #signed(status: StatusToSend): StatusToSend {
    const metadata = status.metadata?.clone() ?? new Metadata();
    if (!this.#hasSentMetadata) this.#record.sign(metadata);
    this.#record.answered(status.code ?? STATUS.UNKNOWN, metadata);
    this.#limitReading();
    return { ...status, details: sendable(status.details ?? ''), metadata };
  }

  /** An answer that is not read keeps its call, and that its message. */
  #limitReading(): void {
    const stream = this.#http2?.stream;
    if (stream === undefined || stream.closed || this.#stalled !== undefined) return;
    this.#stalled = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), this.#rules.stalledMs);
    stream.once('close', () => clearTimeout(this.#stalled));
  }

  /** Comes to every call, answered or not. */
  #end(): void {
    this.#arrived();
    this.#open.delete(this.intercepted);
    // A client that keeps its deadline itself leaves at the same moment.
    const tooLate = Number(this.#next.getDeadline()) <= Date.now() ? STATUS.DEADLINE_EXCEEDED : undefined;
    this.#record.end((this.#http2 && sentStatus(this.#http2)) ?? tooLate);
    // Who has its answer need not send the rest (RFC 9113, section 8.1).
    if (this.#http2?.stream.readableEnded === false) this.#http2.stream.close();
  }
}

function tooSlow(limitMs: number): DomainError {
  return new DomainError('deadline-exceeded', `The message had not arrived after ${limitMs} ms.`);
}

import { DomainError, messageOf } from '@atelier/domain';
import type { Log, RequestTimings } from '@atelier/http';
import { type handleUnaryCall, Metadata, type MethodDefinition } from '@grpc/grpc-js';
import { CallRecord } from './call-record.ts';
import { failureOf, isOurFault } from './status.ts';

/** What a method is told of its call, beside the message. */
export interface CallContext {
  requestId: string;
  /** Aborts when the client cancels, leaves, or its deadline has passed. */
  signal: AbortSignal;
  /** The client's, in ms as `performance.now` counts them. */
  deadline: number | undefined;
  /** What it measures of itself, in ms by name. */
  timings: RequestTimings;
  /** Puts a value into the metadata that goes before the answer. */
  tell: (name: string, value: string) => void;
}

/** Rejects with a DomainError for what is foreseen. */
export type Method<Request, Response> = (request: Request, call: CallContext) => Response | Promise<Response>;

/** A method whose messages come as bytes: the library would call one that it cannot read an internal error. */
export function undecoded<Request, Response>(
  definition: MethodDefinition<Request, Response>,
): MethodDefinition<Buffer, Response> {
  return { ...definition, requestDeserialize: (bytes: Buffer) => bytes } as MethodDefinition<Buffer, Response>;
}

/** Reads a message that passes `check`; `malformed-body` for what is none. */
export function decoder<Request>(
  deserialize: (bytes: Buffer) => Request,
  check: (bytes: Buffer) => void,
): (bytes: Buffer) => Request {
  return (bytes) => {
    check(bytes);
    try {
      return deserialize(bytes);
    } catch (cause) {
      throw new DomainError('malformed-body', 'The message is not of its type.', { cause });
    }
  };
}

/** Runs a method for a call, and answers it or says by its status why not; what it hides it writes to `log`. */
export function unary<Request, Response>(
  method: Method<Request, Response>,
  decode: (bytes: Buffer) => Request,
  log: Log,
): handleUnaryCall<Buffer, Response> {
  return (call, answer) => {
    const record = CallRecord.of(call.metadata);
    const { requestId, timings } = record;
    const controller = new AbortController();
    call.once('cancelled', () => {
      controller.abort(new DomainError('malformed-body', 'The client left before it was answered.'));
    });
    const initial = new Metadata();
    const run = async (): Promise<Response> => {
      const request = decode(call.request);
      timings['read_ms'] = record.elapsedMs;
      return method(request, {
        requestId,
        timings,
        signal: controller.signal,
        deadline: deadlineOf(call.getDeadline()),
        tell: (name, value) => initial.set(name, value),
      });
    };
    run().then(
      (response) => {
        call.sendMetadata(initial);
        answer(null, response);
      },
      (error: unknown) => {
        if (controller.signal.aborted) return; // nobody listens
        const failure = failureOf(error);
        if (isOurFault(failure)) log.error({ err: error, requestId }, messageOf(error));
        else if (error instanceof Error && error.cause !== undefined) {
          log.debug({ err: error.cause, requestId }, 'The cause of a refusal');
        }
        answer(failure);
      },
    );
  };
}

/** The library counts from 1970, and has `Infinity` where there is none. */
function deadlineOf(deadline: Date | number): number | undefined {
  const time = Number(deadline);
  return time === Infinity ? undefined : performance.now() + (time - Date.now());
}

import { DomainError, messageOf } from '@atelier/domain';
import type { Log } from '@atelier/http';
import { type handleUnaryCall, Metadata, type MethodDefinition } from '@grpc/grpc-js';
import { failureOf, isOurFault } from './status.ts';

/** What a method is told of its call, beside the message. */
export interface CallContext {
  requestId: string;
  /** Aborts when the client cancels, leaves, or its deadline has passed. */
  signal: AbortSignal;
  /** The client's, in ms as `performance.now` counts them. */
  deadline: number | undefined;
  /** Puts a value into the metadata that goes before the answer. */
  tell: (name: string, value: string) => void;
}

/** Rejects with a DomainError for what is foreseen. */
export type Method<Request, Response> = (request: Request, call: CallContext) => Response | Promise<Response>;

/** What stands in the place of a message that could not be read: the library would call that an internal error. */
class UnreadMessage {
  readonly error: DomainError;

  constructor(error: DomainError) {
    this.error = error;
  }
}

/** The same method, whose messages pass `check` before they are decoded; what is no message is `malformed-body`. */
export function withCheckedMessages<Request extends object, Response>(
  definition: MethodDefinition<Request, Response>,
  check: (bytes: Buffer) => void,
): MethodDefinition<Request | UnreadMessage, Response> {
  const requestDeserialize = (bytes: Buffer) => {
    try {
      check(bytes);
      return definition.requestDeserialize(bytes);
    } catch (cause) {
      if (cause instanceof DomainError) return new UnreadMessage(cause);
      return new UnreadMessage(new DomainError('malformed-body', 'The message is not of its type.', { cause }));
    }
  };
  return { ...definition, requestDeserialize } as MethodDefinition<Request | UnreadMessage, Response>;
}

/** Runs a method for a call, and answers it or says by its status why not; what it hides it writes to `log`. */
export function unary<Request, Response>(
  method: Method<Request, Response>,
  log: Log,
): handleUnaryCall<Request | UnreadMessage, Response> {
  return (call, answer) => {
    const requestId = String(call.metadata.get('x-request-id')[0]);
    const controller = new AbortController();
    call.once('cancelled', () => {
      controller.abort(new DomainError('malformed-body', 'The client left before it was answered.'));
    });
    const initial = new Metadata();
    const run = async (): Promise<Response> => {
      if (call.request instanceof UnreadMessage) throw call.request.error;
      return method(call.request, {
        requestId,
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

import { DomainError } from '@atelier/domain';
import { type ServerInterceptingCall, type ServerInterceptor, status as STATUS } from '@grpc/grpc-js';
import { type CalledMethod, CallRecord, type CallWitnesses } from './call-record.ts';
import { type CallRules, GuardedCall } from './guarded-call.ts';
import { failureOf } from './status.ts';

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
    record.end(STATUS.UNIMPLEMENTED);
  }

  /** Puts each call under the rules, and sees to it that its end is told. */
  readonly interceptor: ServerInterceptor = (method, next) => {
    const record = new CallRecord(method.path, methodOf(method), this.#witnesses);
    return new GuardedCall(method, next, record, this.#rules, this.#streams).intercepted;
  };
}

const UNKNOWN: CalledMethod = { type: 'unary', service: 'none', method: 'none' };

/** Of a path such as `/inference.GRPCInferenceService/ModelInfer`. */
function methodOf({ path, requestStream, responseStream }: Parameters<ServerInterceptor>[0]): CalledMethod {
  const [, service = 'none', method = 'none'] = path.split('/');
  if (requestStream) return { type: responseStream ? 'bidi_stream' : 'client_stream', service, method };
  return { type: responseStream ? 'server_stream' : 'unary', service, method };
}

import { DomainError } from '@atelier/domain';

/** A graph that cannot be trained as it stands. The message names the operator, its node and what is supported. */
export function notDifferentiable(message: string): DomainError {
  return new DomainError('not-differentiable', message);
}

/** A graph that contradicts itself or the ONNX specification. The message says what was expected, what came and where. */
export function malformedGraph(message: string): DomainError {
  return new DomainError('malformed-onnx', message);
}

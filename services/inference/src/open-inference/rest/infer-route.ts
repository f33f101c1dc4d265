import { clientLeaves, timingsOf } from '@atelier/http';
import type { RequestHandler } from 'express';
import type { ImageLimits } from '../../routes/image-limits.ts';
import { deadlineOf } from '../../routes/request-timeout.ts';
import { setProvenance } from '../../provenance.ts';
import { chooseVersion, infer, type InferParts } from '../infer.ts';
import { readInferRequest } from './read-request.ts';
import type { ModelPath } from './routes.ts';
import { binaryOutputs, sendResult } from './write-answer.ts';

/** `POST /v2/models/{model}[/versions/{version}]/infer`; the header `Request-Timeout` counts beside the parameter `timeout`. */
export function inferHandler(
  parts: InferParts & { limits: ImageLimits; admit: (kind: 'pixels') => void },
): RequestHandler<ModelPath> {
  return async (request, response) => {
    const received = performance.now();
    const { model, version } = request.params;
    chooseVersion(parts.models, model, version); // refused unread where nobody could answer, or there is no room
    parts.admit('pixels');
    const signal = clientLeaves(response, deadlineOf(request));
    const message = await readInferRequest(request, parts.limits, signal);
    const isBinary = binaryOutputs(message, request.headers.accept);
    const requestId = response.locals['requestId'] as string | undefined;
    const { id, parameters, inputs, outputs } = message;
    const timings = timingsOf(response);
    timings['read_ms'] = performance.now() - received;
    const call = { model, version, id, parameters, inputs, outputs, signal, received, requestId, timings };
    const result = await infer(call, parts);
    setProvenance(response, result.predictor);
    await sendResult(request, response, result, isBinary);
  };
}

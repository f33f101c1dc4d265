import { type ErrorForm, problemDetails } from '@atelier/http';

/** Where the protocol begins; every path below it is its own. */
const ROOT = '/v2';

/** The form in which the clients of a path read a failure. */
export function errorFormOf(path: string): ErrorForm {
  return path === ROOT || path.startsWith(`${ROOT}/`) ? openInferenceError : problemDetails;
}

/** `{"error": "..."}` with the status of the code, except that the protocol knows no 422: a bad request is a 400. */
const openInferenceError: ErrorForm = ({ status, title, detail = title, errors = [], instance }) => {
  const faults = errors.map((fault) => `${'pointer' in fault ? fault.pointer : fault.parameter}: ${fault.detail}`);
  const where = status === 500 ? [`The log has it under the request's id ${String(instance)}.`] : [];
  return {
    status: status === 422 ? 400 : status,
    mediaType: 'application/json',
    body: { error: [detail, ...faults, ...where].join(' ') },
  };
};

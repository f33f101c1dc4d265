import type { ErrorCode } from '@atelier/domain';
import { z } from 'zod';
import type { ZodOpenApiResponseObject } from 'zod-openapi';
import { PROBLEMS } from '../problems.ts';

/** A code that a request can cause; the others are answered as `internal`. */
export type AnsweredCode = { [C in ErrorCode]: (typeof PROBLEMS)[C] extends 'internal' ? never : C }[ErrorCode];

/** RFC 9457. Loose: some problems have members of their own, which their entry in docs/errors.md names. */
export const ProblemDetails = z
  .looseObject({
    type: z.string().describe('`/problems/` and the code, which never changes; docs/errors.md explains each'),
    title: z.string().describe('What the code means, the same each time'),
    status: z.int().describe('The HTTP status'),
    detail: z.string().optional().describe('What was expected, what came, and where'),
    instance: z.string().optional().describe("The request's id, as in `X-Request-Id` and in the log"),
    errors: z
      .array(
        z.object({
          pointer: z.string().optional().describe('JSON Pointer into the body (RFC 6901)'),
          parameter: z.string().optional().describe('Name of a query parameter or form field'),
          detail: z.string(),
        }),
      )
      .optional()
      .describe('Each fault of a request that breaks its schema'),
  })
  .meta({ id: 'Problem', description: 'Problem details (RFC 9457)' });

/** Another form than problem details in which a protocol has its failures. */
export interface FailureForm {
  contentType: string;
  schema: z.ZodType;
  /** What it makes of a status of `PROBLEMS`. */
  statusOf: (status: number) => number;
  exampleOf: (code: AnsweredCode) => object;
}

/** The responses of a route's problems: one for each status, with an example for each code that has it. */
export function problemResponses(
  codes: readonly AnsweredCode[],
  form?: FailureForm,
): Record<string, ZodOpenApiResponseObject> {
  const distinct = [...new Set(codes)];
  const statusOf = (code: AnsweredCode) => form?.statusOf(PROBLEMS[code].status) ?? PROBLEMS[code].status;
  const statuses = new Set(distinct.map(statusOf));
  const ofStatus = (status: number) => distinct.filter((code) => statusOf(code) === status);
  return Object.fromEntries([...statuses].map((status) => [String(status), responseOf(ofStatus(status), form)]));
}

function responseOf(codes: readonly AnsweredCode[], form: FailureForm | undefined): ZodOpenApiResponseObject {
  const { contentType, schema, exampleOf } = form ?? PROBLEM_DETAILS;
  const examples = codes.map((code) => [code, { value: exampleOf(code) }] as const);
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join('\n\n'),
    content: { [contentType]: { schema, examples: Object.fromEntries(examples) } },
  };
}

const PROBLEM_DETAILS: FailureForm = {
  contentType: 'application/problem+json',
  schema: ProblemDetails,
  statusOf: (status) => status,
  exampleOf: (code) => ({ type: `/problems/${code}`, ...PROBLEMS[code] }),
};

import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiResponseObject } from 'zod-openapi';
import type { z } from 'zod';
import { type AnsweredCode, type FailureForm, problemResponses } from './problem-responses.ts';

/** A service as its document presents it. */
export interface ApiDescription {
  title: string;
  version: string;
  description: string;
  routes: readonly RouteDescription[];
  /** What each route may answer beside its own problems, for example `internal`. */
  commonProblems: readonly AnsweredCode[];
  /** The same of those that are not open. Default: `unauthorized`. */
  guardProblems?: readonly AnsweredCode[];
}

export interface RouteDescription {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** As Express has it: `/runs/:id`. */
  path: string;
  summary: string;
  description?: string;
  /** The group in which the page shows it. */
  tag?: string;
  /** Of each place, an object of the parameters by name; those of the path must be those in `path`. */
  parameters?: { path?: z.ZodObject; query?: z.ZodObject; header?: z.ZodObject };
  /** A body in JSON; it may be left out where the schema takes undefined. */
  body?: z.ZodType;
  /** Its other forms, by media type; without `body` it is not taken in JSON. */
  otherBodies?: Readonly<Record<string, z.ZodType>>;
  /** By status. */
  answers: Readonly<Record<number, AnswerDescription>>;
  problems: readonly AnsweredCode[];
  /** The form of its failures. Default: problem details. */
  failures?: FailureForm;
  /** Whether it answers without the service's token, as the probes do. Default: false. */
  open?: boolean;
}

export interface AnswerDescription {
  description: string;
  schema?: z.ZodType;
  /** Default: `application/json` with a schema; without either the answer has no body. */
  contentType?: string;
  headers?: z.ZodObject;
}

/** What `createDocument` gives: OpenAPI 3.1, ready for `JSON.stringify`. */
export type OpenApiDocument = ReturnType<typeof createDocument>;

/**
 * The OpenAPI 3.1 document of a service. A schema with an `id` in its meta becomes a component of that name; problems
 * are described from `PROBLEMS`. `RangeError` for what contradicts itself: two routes of one method and path, other
 * parameters than the path has, or a status that is an answer and a problem.
 */
export function openApiDocument({ title, version, description, ...api }: ApiDescription): OpenApiDocument {
  const paths: Record<string, Partial<Record<RouteDescription['method'], ZodOpenApiOperationObject>>> = {};
  for (const route of api.routes) {
    const operations = (paths[route.path.replaceAll(PARAMETER, '{$1}')] ??= {});
    if (operations[route.method] !== undefined) throw new RangeError(`${nameOf(route)} is described twice.`);
    operations[route.method] = operationOf(route, api);
  }
  return createDocument({
    openapi: '3.1.0',
    info: { title, version, description },
    paths,
    security: [{ [TOKEN]: [] }, {}], // the second: a service that was started without a token asks for none
    components: { securitySchemes: { [TOKEN]: { type: 'http', scheme: 'bearer', description: 'RFC 6750' } } },
  });
}

const TOKEN = 'token';

/** A parameter in a path of Express. */
const PARAMETER = /:([A-Za-z_]\w*)/g;

function operationOf(
  route: RouteDescription,
  { commonProblems, guardProblems = ['unauthorized'] }: Pick<ApiDescription, 'commonProblems' | 'guardProblems'>,
): ZodOpenApiOperationObject {
  const { summary, description, tag, parameters = {}, answers, open = false } = route;
  requireSameParameters(route);
  const codes = [...route.problems, ...commonProblems, ...(open ? [] : guardProblems)];
  const problems = problemResponses(codes, route.failures);
  const both = Object.keys(answers).find((status) => Object.hasOwn(problems, status));
  if (both !== undefined) throw new RangeError(`${nameOf(route)} has ${both} as an answer and as a problem.`);
  return {
    summary,
    ...(description === undefined ? {} : { description }),
    ...(tag === undefined ? {} : { tags: [tag] }),
    ...(open ? { security: [] } : {}),
    requestParams: parameters,
    ...requestBodyOf(route),
    responses: { ...mapValues(answers, responseOf), ...problems },
  };
}

function responseOf({ description, schema, contentType, headers }: AnswerDescription): ZodOpenApiResponseObject {
  const type = contentType ?? (schema === undefined ? undefined : 'application/json');
  return {
    description,
    ...(type === undefined ? {} : { content: { [type]: { schema: schema ?? {} } } }),
    ...(headers === undefined ? {} : { headers }),
  };
}

function requireSameParameters(route: RouteDescription): void {
  const named = [...route.path.matchAll(PARAMETER)].map(([, name]) => name);
  const described = Object.keys(route.parameters?.path?.shape ?? {});
  if (named.toSorted().join() === described.toSorted().join()) return;
  throw new RangeError(`${nameOf(route)} describes the path parameters ${described.join(', ') || '(none)'}.`);
}

function requestBodyOf({ body, otherBodies = {} }: RouteDescription) {
  if (body === undefined && Object.keys(otherBodies).length === 0) return {};
  const content = {
    ...(body === undefined ? {} : { 'application/json': { schema: body } }),
    ...mapValues(otherBodies, (schema) => ({ schema })),
  };
  return { requestBody: { required: body === undefined || isRequired(body), content } };
}

function isRequired(body: z.ZodType): boolean {
  return !body.safeParse(undefined).success;
}

function mapValues<A, B>(object: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}

function nameOf({ method, path }: RouteDescription): string {
  return `${method.toUpperCase()} ${path}`;
}

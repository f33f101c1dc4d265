import type { IncomingMessage, ServerResponse } from 'node:http';
import { parse } from 'node:querystring';
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';

/**
 * A route that is answered on Node's own request and response. Express gives both of them another prototype, and with that
 * all that Node does to them takes longer: two thirds of the time of a small request (docs/adr/0019). The same handlers
 * stand in the application, where whatever is not exactly this path and method is answered.
 */
export interface DirectRoute {
  method: string;
  /** As Express has it, for example `/models/:model/infer`. */
  path: string;
  /**
   * What Express would run, in that order. Of Express they may use `request.path`, `params`, `query` and `route`, and
   * `response.locals`; everything else must be Node's.
   */
  handlers: readonly RequestHandler[];
}

/** Answers a request and says so, or leaves it to the application. */
export type TakeDirectly = (request: IncomingMessage, response: ServerResponse) => boolean;

const NO_QUERY = Object.freeze({});

export function takeDirectly(
  routes: readonly DirectRoute[],
  before: readonly RequestHandler[],
  fail: ErrorRequestHandler,
): TakeDirectly {
  const compiled = routes.map(({ method, path, handlers }) => {
    const names = [...path.matchAll(PARAMETER)].map(([, name = '']) => name);
    const pattern = new RegExp(`^${path.replaceAll(PARAMETER, '([^/%]+)')}$`); // what is percent-encoded is Express's
    return { method, path, names, pattern, chain: [...before, ...handlers] };
  });
  return (request, response) => {
    const { method, url = '' } = request;
    const end = url.indexOf('?');
    const path = end < 0 ? url : url.slice(0, end);
    for (const route of compiled) {
      const match = route.method === method ? route.pattern.exec(path) : null;
      if (match === null) continue;
      const params = Object.fromEntries(route.names.map((name, index) => [name, match[index + 1] ?? '']));
      const query = end < 0 ? NO_QUERY : parse(url.slice(end + 1));
      const own = { path, params, query, route: { path: route.path } };
      const locals = Object.create(null) as object; // as Express makes it
      run(route.chain, Object.assign(request, own), Object.assign(response, { locals }), fail);
      return true;
    }
    return false;
  };
}

/** A parameter in a path of Express. */
const PARAMETER = /:([A-Za-z_]\w*)/g;

function run(chain: readonly RequestHandler[], request: object, response: object, fail: ErrorRequestHandler): void {
  const [asked, answer] = [request as Request, response as Response];
  let place = 0;
  const failWith = (error: unknown) => void fail(error, asked, answer, () => undefined);
  const next = (error?: unknown) => {
    if (error !== undefined) {
      failWith(error);
      return;
    }
    try {
      const running: unknown = chain[place++]?.(asked, answer, next);
      if (running instanceof Promise) running.catch(failWith);
    } catch (thrown) {
      failWith(thrown);
    }
  };
  next();
}

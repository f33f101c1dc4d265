import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';
import helmet from 'helmet';

/**
 * Helmet's headers, for an interface that answers data and no pages: nothing may be loaded from an answer, nothing may
 * frame or embed it, and there are no CORS headers, so that other origins get no access. A page of ours sets its own
 * policy. Without `Strict-Transport-Security`: we speak plain HTTP, and whoever puts TLS before us decides for the name.
 */
const POLICY: Parameters<typeof helmet>[0] = {
  contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
  frameguard: { action: 'deny' },
  strictTransportSecurity: false,
  xDownloadOptions: false, // of Internet Explorer 8
  hidePoweredBy: false, // Express says nothing where it is told so
};

/** Never stored: an answer is of one moment, and may be somebody's. */
const OWN: Readonly<Record<string, string>> = { 'Cache-Control': 'no-store' };

/** Sets them on every answer. They do not depend on it, so they are asked of helmet once. */
export function secureHeaders(): RequestHandler {
  const headers = Object.entries({ ...OWN, ...headersOfHelmet() });
  return (_request, response, next) => {
    for (const [name, value] of headers) response.setHeader(name, value);
    next();
  };
}

function headersOfHelmet(): Record<string, string> {
  const headers: Record<string, string> = {};
  const recorder = {
    setHeader: (name: string, value: string) => void (headers[name] = value),
  } as unknown as ServerResponse;
  helmet(POLICY)({} as IncomingMessage, recorder, (error?: unknown) => {
    if (error instanceof Error) throw error;
  });
  return headers;
}

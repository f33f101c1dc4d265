import { DomainError } from '@atelier/domain';
import type { Request, RequestHandler } from 'express';
import { type HostNames, LOOPBACK_NAMES } from './host-names.ts';

/**
 * `foreign-origin` for what web pages of others make a user's browser send:
 *
 * - Under a name of theirs that they let point here (DNS rebinding): the `Host` must be one of `names`, or any where
 *   these are null, because a token that no page has keeps them out. A rebound page is an origin of its own to its
 *   browser, so that no other header tells it apart.
 * - From their origin (CSRF), with or without a token: a browser names it in `Origin` or `Sec-Fetch-Site`, which no page
 *   can forge. Reading as well: pages see no answer without CORS, but would occupy us, and could take the time. Only a
 *   link may lead here.
 *
 * Programs send neither header and pass. Behind a proxy that changes `Host` our own page counts as foreign.
 */
export function refuseForeignPages(names: HostNames | null = LOOPBACK_NAMES): RequestHandler {
  let lastIncluded: string | undefined; // nearly all requests name one host, and an address takes a while to judge
  return (request, _response, next) => {
    const { host } = request.headers;
    if (names !== null && (host === undefined || host !== lastIncluded)) {
      if (names.include(host)) lastIncluded = host;
      else throw foreign(`A service without a token goes by ${names.inWords}; came Host ${quoted(host)}.`);
    }
    if (isForeign(request) && !followsLink(request)) {
      const { origin, 'sec-fetch-site': site } = request.headers;
      const came = origin === undefined ? `Sec-Fetch-Site ${quoted(site)}` : `Origin ${quoted(origin)}`;
      throw foreign(`Only pages of this service itself may send requests to it; came ${came}.`);
    }
    next();
  };
}

/** Where a browser says nothing about the site (an old one, or no TLS and no loopback), its `Origin` has to do. */
function isForeign({ headers }: Request): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  return headers.origin !== undefined && !isOwn(headers.origin, headers.host, site === 'same-origin');
}

/** We speak plain HTTP; a page that came through a proxy with TLS is ours where its browser says so. */
function isOwn(origin: string, host: string | undefined, sameOrigin: boolean): boolean {
  // `URL.host` leaves a scheme's own port out, as browsers do in both headers.
  if (!URL.canParse(origin) || host === undefined) return false;
  const { protocol, host: originHost } = new URL(origin);
  if (protocol !== 'http:' && !(protocol === 'https:' && sameOrigin)) return false;
  return URL.canParse(`${protocol}//${host}`) && new URL(`${protocol}//${host}`).host === originHost;
}

/** Whether the user goes to this address in a window of its own: what it shows them, the other page does not see. */
function followsLink({ method, headers }: Request): boolean {
  const reads = method === 'GET' || method === 'HEAD';
  return reads && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
}

function foreign(message: string): DomainError {
  return new DomainError('foreign-origin', message);
}

/** Headers are as long as their sender likes. */
function quoted(header: string | string[] | undefined): string {
  return header === undefined ? 'none' : JSON.stringify(String(header).slice(0, 100));
}

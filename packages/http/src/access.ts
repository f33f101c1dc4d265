import { createHash, timingSafeEqual } from 'node:crypto';
import { DomainError } from '@atelier/domain';
import type { Request, RequestHandler } from 'express';
import { z } from 'zod';
import { isLoopback } from './loopback.ts';

/**
 * The setting of a token; beside it belongs `secret: true`. What a header can carry, and too long to be guessed; longer
 * than 4,096 characters it would crowd out the other headers.
 */
export const AccessToken = z
  .string()
  .regex(/^[\x21-\x7e]{16,4096}$/, 'expected 16 to 4,096 characters of printable ASCII without spaces');

/**
 * With a `token`, every path but the `open` ones wants `Authorization: Bearer <token>` (RFC 6750, section 2.1; not in the
 * query or a form, which logs and histories keep): else `unauthorized`. Without one all requests pass.
 */
export function requireToken(token: string | null, open: readonly string[]): RequestHandler {
  if (token === null) return (_request, _response, next) => next();
  const expected = digestOfToken(token);
  return (request, response, next) => {
    if (open.includes(request.path)) {
      next();
      return;
    }
    const offered = bearerToken(request.headers.authorization);
    if (offered !== undefined && timingSafeEqual(digestOfToken(offered), expected)) {
      next();
      return;
    }
    response.set('WWW-Authenticate', challengeOf(request));
    throw new DomainError(
      'unauthorized',
      `Expected the header "Authorization: Bearer <token>" with the token of this service; ${cameOf(request, offered)}.`,
    );
  };
}

/** The token of an `Authorization` header of the form `Bearer <token>`, if it has one. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
}

/** What is compared instead of tokens: digests have one length, and comparing them takes one time, however good a guess was. */
export function digestOfToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** The `WWW-Authenticate` of an `unauthorized` request; one without credentials is not told of an error (section 3). */
export function challengeOf({ headers }: Request): string {
  return headers.authorization === undefined ? 'Bearer' : 'Bearer error="invalid_token"';
}

/** Whose address is judged: the settings' names, and what a stranger could do without a token. */
export interface OpenAddress {
  /** The variable of the address, for example `TRAINER_HOST`. */
  hostVariable: string;
  /** The variable of the token, for example `TRAINER_TOKEN`. */
  tokenVariable: string;
  /** What a stranger could do, for example `start trainings`. */
  danger: string;
}

/** `invalid-configuration` where others than this machine would reach `host` and no token keeps them out. */
export function refuseOpenAddress(host: string, token: string | null, service: OpenAddress): void {
  if (token !== null || isLoopback(host)) return;
  throw new DomainError(
    'invalid-configuration',
    `${service.hostVariable}=${host} would let anyone who reaches this machine ${service.danger}; ` +
      `set ${service.tokenVariable}, or listen on 127.0.0.1.`,
  );
}

function cameOf({ headers }: Request, offered: string | undefined): string {
  if (headers.authorization === undefined) return 'none came';
  return offered === undefined ? 'another form came' : 'another token came';
}

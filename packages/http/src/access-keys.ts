import { timingSafeEqual } from 'node:crypto';
import { DomainError } from '@atelier/domain';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { AccessToken, bearerToken, challengeOf, digestOfToken } from './access.ts';

/** Who may send requests, and which. Of the key itself nothing is kept but its digest. */
export interface AccessKey<Scope extends string> {
  /** For logs: the setting's own, or `key-1` after its place. */
  name: string;
  scopes: ReadonlySet<Scope>;
  digest: Buffer;
}

/** The `=` at the end of a key in base64 makes no name of it. */
const ENTRY = /^(?:(?<name>[A-Za-z0-9._-]{1,32})=(?![=:]))?(?<key>.+):(?<scopes>[a-z+]+)$/;

/**
 * The setting of keys, `key:scope+scope` or `name=key:scope+scope`, separated by commas; beside it belongs
 * `secret: true`. A key is an `AccessToken`; a fault names the place of its entry and nothing that stands there.
 */
export function accessKeys<const Scope extends string>(known: readonly Scope[]) {
  const expected = `name=key:${known.join('+')}, a key of 16 to 4,096 characters of printable ASCII without spaces and commas`;
  return z.string().transform((text, context): readonly AccessKey<Scope>[] => {
    const keys: AccessKey<Scope>[] = [];
    for (const [index, entry] of text.split(',').entries()) {
      const { name = `key-${index + 1}`, key = '', scopes = '' } = ENTRY.exec(entry.trim())?.groups ?? {};
      const digest = digestOfToken(key);
      const named = scopes.split('+');
      const fault =
        AccessToken.safeParse(key).success && named.every((scope) => (known as readonly string[]).includes(scope))
          ? duplicateIn(keys, name, digest)
          : `expected ${expected}`;
      if (fault === undefined) keys.push({ name, scopes: new Set(named as Scope[]), digest });
      else context.addIssue(`entry ${index + 1}: ${fault}`);
    }
    return keys;
  });
}

function duplicateIn(keys: readonly AccessKey<string>[], name: string, digest: Buffer): string | undefined {
  if (keys.some((key) => key.digest.equals(digest))) return 'this key came before';
  return keys.some((key) => key.name === name) ? 'this name came before' : undefined;
}

/** Decides who may do what, over HTTP and over any other protocol that carries a token. */
export interface Access<Scope extends string> {
  /**
   * The name of the key, or null where none is needed. `unauthorized` without a known key, `forbidden` where it has none of
   * the scopes, or where there are no keys and nobody may.
   */
  authorize(token: string | undefined, ...scopes: readonly [Scope, ...Scope[]]): string | null;
}

export interface AccessPolicy<Scope extends string> {
  /** None: the service was started without keys. */
  keys: readonly AccessKey<Scope>[];
  /** What everybody may where there are no keys. */
  openWithoutKeys: readonly Scope[];
  /** The setting of the keys, for example `INFERENCE_API_KEYS`. */
  variable: string;
}

export function createAccess<Scope extends string>({
  keys,
  openWithoutKeys,
  variable,
}: AccessPolicy<Scope>): Access<Scope> {
  return {
    authorize(token, ...scopes) {
      const wanted = scopes.map((scope) => `"${scope}"`).join(' or ');
      if (keys.length === 0) {
        if (scopes.some((scope) => openWithoutKeys.includes(scope))) return null;
        throw new DomainError(
          'forbidden',
          `This is off without keys: set ${variable} to one with the scope ${wanted}.`,
        );
      }
      const key = token === undefined ? undefined : find(keys, token);
      if (key === undefined) {
        const came = token === undefined ? 'none came' : 'another came';
        throw new DomainError(
          'unauthorized',
          `Expected "Authorization: Bearer <key>" with a key of this service; ${came}.`,
        );
      }
      if (scopes.some((scope) => key.scopes.has(scope))) return key.name;
      const has = [...key.scopes].join(' and ');
      throw new DomainError('forbidden', `The key "${key.name}" has the scope ${has}; this takes ${wanted}.`);
    },
  };
}

/** Every key is compared, so that the time does not say which one, or that none, came. */
function find<Scope extends string>(keys: readonly AccessKey<Scope>[], token: string): AccessKey<Scope> | undefined {
  const offered = digestOfToken(token);
  let found: AccessKey<Scope> | undefined;
  for (const key of keys) if (timingSafeEqual(key.digest, offered)) found = key;
  return found;
}

/**
 * Lets a request pass whose `Authorization: Bearer` has one of the scopes; else throws what `authorize` does, with the challenge of
 * RFC 6750, section 3. The name of the key goes into the log line.
 */
export function requireScope<Scope extends string>(
  access: Access<Scope>,
  ...scopes: readonly [Scope, ...Scope[]]
): RequestHandler {
  return (request, response, next) => {
    try {
      const name = access.authorize(bearerToken(request.headers.authorization), ...scopes);
      if (name !== null) response.locals['key'] = name;
    } catch (error) {
      if (error instanceof DomainError) response.setHeader('WWW-Authenticate', challenge(error, request, scopes[0]));
      throw error;
    }
    next();
  };
}

function challenge({ code }: DomainError, request: Parameters<RequestHandler>[0], scope: string): string {
  return code === 'forbidden' ? `Bearer error="insufficient_scope", scope="${scope}"` : challengeOf(request);
}

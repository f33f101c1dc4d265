import { DomainError } from '@atelier/domain';
import type { RedisOptions } from 'ioredis';

/** Without the one option that TypeScript refuses in a copy of the others. */
export type ClientOptions = Omit<RedisOptions, 'replyMapping'>;

/** Where a Redis is and how one gets in; only `name` may be shown. */
export interface RedisAddress {
  /** `host:port`. */
  readonly name: string;
  readonly password: string;
  readonly options: ClientOptions;
}

const DEFAULT_PORT = 6379;

/**
 * Reads `redis://user:password@host:port/database`; `rediss://` speaks TLS. Rejects all else with `invalid-configuration`,
 * which repeats nothing of it: a password may be in any part of what someone has misspelt.
 */
export function parseRedisUrl(url: string): RedisAddress {
  try {
    const { protocol, hostname, port, username, password, pathname } = new URL(url);
    const [, database] = /^\/?(\d*)$/.exec(pathname) ?? [];
    if (!['redis:', 'rediss:'].includes(protocol) || hostname === '' || database === undefined) throw new Error();
    const host = hostname.replace(/^\[|\]$/g, ''); // as an IPv6 address stands in a URL
    const options: ClientOptions = { host, port: Number(port || DEFAULT_PORT), db: Number(database) };
    if (protocol === 'rediss:') options.tls = {};
    if (username !== '') options.username = decodeURIComponent(username);
    if (password !== '') options.password = decodeURIComponent(password);
    return { name: `${hostname}:${options.port}`, password: options.password ?? '', options };
  } catch {
    const expected = 'redis://[[user]:password@]host[:port][/database], or the same with rediss:// for TLS';
    throw new DomainError('invalid-configuration', `Expected the URL of a Redis as ${expected}.`);
  }
}

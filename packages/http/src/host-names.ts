import { isIP } from 'node:net';
import { z } from 'zod';
import { isLoopback } from './loopback.ts';

/** The names that a service goes by: what it takes in the `Host` of a request. */
export interface HostNames {
  include(host: string | undefined): boolean;
  /** As it follows "goes by". */
  inWords: string;
}

/** Names of this machine: `localhost`, a name under it (RFC 6761, section 6.3: browsers ask no DNS for it), or a loopback address. */
export const LOOPBACK_NAMES: HostNames = {
  include: (host) => accepts(host, isLoopback, ['localhost']),
  inWords: 'localhost, 127.0.0.1 or [::1]',
};

/**
 * Ends of names that the public DNS never has: `.internal` is reserved (ICANN, 2024), the others are Kubernetes' own.
 * Nobody can give a page such a name and let it point elsewhere.
 */
const UNROUTED_ENDS = ['localhost', 'internal', 'svc', 'cluster.local'];

/**
 * What a page of others cannot have: an address, since a page from there is ours, a name without a dot, such as another
 * container's, or one with an end of `UNROUTED_ENDS`.
 */
export const NETWORK_NAMES: HostNames = {
  include: (host) => accepts(host, () => true, UNROUTED_ENDS) || /^[a-z0-9_-]+(:\d{1,5})?$/i.test(host ?? ''),
  inWords: 'an address, a name without a dot, or one in .internal, .svc or .cluster.local',
};

/** `names`, and the `allowed` ones, in lower case. */
export function withHosts(names: HostNames, allowed: readonly string[], variable: string): HostNames {
  return {
    include: (host) => names.include(host) || allowed.includes(parse(host)?.name ?? ''),
    inWords: `${names.inWords}, or a name in ${variable}`,
  };
}

/** The setting of further names, separated by commas. */
export const HostList = z
  .string()
  .regex(/^[a-z0-9._-]+( *, *[a-z0-9._-]+)*$/i, 'expected names without scheme and port, separated by commas')
  .transform((text): readonly string[] => text.split(',').map((name) => name.trim().toLowerCase()));

function accepts(host: string | undefined, takesAddress: (address: string) => boolean, ends: readonly string[]) {
  const parsed = parse(host);
  if (parsed === undefined) return false;
  const { name, address } = parsed;
  if (address !== null) return takesAddress(address);
  return ends.some((end) => name === end || name.endsWith(`.${end}`));
}

/** A host of RFC 9110, section 7.2: a name or an address, IPv6 in brackets, and a port or none. */
const HOST = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::\d{1,5})?$/i;

/** The name in lower case, with its address where it is one. */
function parse(host: string | undefined): { name: string; address: string | null } | undefined {
  const [, bracketed, name = ''] = HOST.exec(host ?? '') ?? [];
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? { name: bracketed, address: bracketed } : undefined;
  if (name === '') return undefined;
  return { name: name.toLowerCase(), address: isIP(name) === 4 ? name : null };
}

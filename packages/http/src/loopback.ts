import { BlockList, isIP } from 'node:net';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4'); // and with it ::ffff:127.0.0.0/104
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether only this machine reaches an address: 127.0.0.0/8, ::1, ::ffff:127.0.0.0/104 or `localhost`. */
export function isLoopback(address: string): boolean {
  const version = isIP(address);
  if (version === 0) return address.toLowerCase() === 'localhost';
  return LOOPBACK.check(address, version === 4 ? 'ipv4' : 'ipv6');
}

/** A host of RFC 9110, section 7.2: a name or an address, IPv6 in brackets, and a port or none. */
const HOST = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::\d{1,5})?$/i;

/**
 * Whether a `Host` header names this machine: `localhost`, a name under it (RFC 6761, section 6.3: browsers ask no DNS
 * for it), or a loopback address, with any port.
 */
export function isLoopbackHost(host: string | undefined): boolean {
  const [, bracketed, name = ''] = HOST.exec(host ?? '') ?? [];
  if (bracketed !== undefined) return isIP(bracketed) === 6 && isLoopback(bracketed);
  return isLoopback(name) || name.toLowerCase().endsWith('.localhost');
}

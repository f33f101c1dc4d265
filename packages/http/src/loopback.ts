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

import { BlockList, isIP } from 'node:net';

/** A set of addresses, given as such and as CIDR blocks, IPv4 and IPv6. */
export type AddressBlocks = { has(address: string): boolean };

/** Throws a RangeError or TypeError for what is no address or block; the configuration has checked. */
export function addressBlocks(blocks: readonly string[]): AddressBlocks {
  const list = new BlockList();
  for (const block of blocks) {
    const [address = '', prefix] = block.split('/');
    const family = familyOf(address);
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return { has: (address) => blocks.length > 0 && list.check(address, familyOf(address)) };
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

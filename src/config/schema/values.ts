import { z } from 'zod';
import { isAddressBlock, isHost, isHostName } from '../hosts.ts';
import { expecting } from './section.ts';

const DAY_MS = 86_400_000;

/** Not `z.int()`, for which a fraction ends the parse, so that no rule around it would be checked. */
export const Whole = z.number().multipleOf(1);

export function integer(min: number, max: number, unit = '') {
  const kind = unit === '' ? 'a whole number' : `a whole number of ${unit}`;
  return expecting(Whole.min(min).max(max), `${kind} from ${min} to ${max}`);
}

/** A duration in milliseconds, at most a day. */
export function milliseconds(min: number) {
  return integer(min, DAY_MS, 'milliseconds');
}

export function text(pattern: RegExp, expected: string) {
  return expecting(z.string().regex(pattern), expected);
}

/** A text that stands for something else; `parse` returns null where it does not. */
export function parsed<T>(parse: (text: string) => T | null) {
  return z.string().transform((text, context) => {
    const value = parse(text);
    if (value !== null) return value;
    context.addIssue({ code: 'custom' });
    return z.NEVER;
  });
}

export const Port = expecting(Whole.min(1).max(65535), 'a port from 1 to 65535');

export const Host = expecting(
  z.string().refine(isHost),
  'an IP address without brackets, or a host name without port',
);

export const HostName = expecting(z.string().refine(isHostName), 'a host name');

export const AddressBlock = expecting(
  z.string().refine(isAddressBlock),
  'an IP address, or a block of them such as `10.0.0.0/8`',
);

/** Names of pools and routes. */
export const Name = text(
  /^[A-Za-z0-9][\w.-]{0,63}$/,
  'a name of at most 64 letters, digits, `.`, `_` and `-`, the first a letter or digit',
);

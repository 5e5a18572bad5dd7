/** What is looked at before anything else: where a request comes from. */
import type { RequestHead } from '#actors/request/exchange.ts';
import { corsHeaders, preflightHeaders, preflightMethod } from '#core/cors.ts';
import { Fields } from '#core/fields.ts';
import type { Access, Door } from '#core/table.ts';
import { type AddressBlocks, addressBlocks } from './address-blocks.ts';
import type { LocalAnswer } from './local.ts';

type Lists = { readonly allow: AddressBlocks; readonly deny: AddressBlocks };

// A table is replaced as a whole, and what was prepared for its doors goes with it.
const listsOf = new WeakMap<Access, Lists>();

export type Entry = {
  /** Headers that whatever the request is answered will carry. */
  readonly notices: Fields;
  /** What it is answered at the door; null where it may go in. */
  readonly answer: LocalAnswer | null;
};

const NO_CONTENT: LocalAnswer = { status: 204, headers: [], body: new Uint8Array(0) };

export function enter({ access, cors }: Door, request: RequestHead): Entry {
  const { method, headers, clientAddress, protocol } = request;
  // Browsers send no credentials with a preflight, so it is answered before any are asked for.
  const isPreflight = cors !== null && preflightMethod(method, headers) !== null;
  const say = isPreflight ? preflightHeaders : corsHeaders;
  const notices = cors === null ? new Fields() : say(cors, headers);
  if (protocol === '2') notices.keepIndex();
  if (access !== null && !mayEnter(access, clientAddress)) return { notices, answer: 'access_denied' };
  return { notices, answer: isPreflight ? NO_CONTENT : null };
}

function mayEnter(access: Access, address: string): boolean {
  let lists = listsOf.get(access);
  if (lists === undefined) {
    lists = { allow: addressBlocks(access.allow), deny: addressBlocks(access.deny) };
    listsOf.set(access, lists);
  }
  if (lists.deny.has(address)) return false;
  return access.allow.length === 0 || lists.allow.has(address);
}

import { Fields } from './fields.ts';
import type { HeaderRules, RuleValue, RuleVariable } from './table.ts';
import type { ClientTls } from './tls.ts';

/** What the variables of rules stand for. */
export type RuleFacts = {
  readonly clientAddress: string;
  /** As the client named it, port included; empty where it named none. */
  readonly host: string;
  readonly requestId: string;
  readonly routeName: string;
  readonly upstreamName: string;
  /** Of the client's connection; null where that is not encrypted. */
  readonly tls: ClientTls | null;
};

export function isWithoutRules({ remove, set, add }: HeaderRules): boolean {
  return remove.length === 0 && set.length === 0 && add.length === 0;
}

/** Applies remove, then set (which replaces every header of that name), then add. */
export function underHeaderRules(fields: Fields, rules: HeaderRules, facts: RuleFacts): Fields {
  const headers = fields.flat();
  for (const name of rules.remove) dropHeader(headers, name);
  for (const [name, value] of rules.set) {
    dropHeader(headers, name.toLowerCase());
    headers.push(name, textOf(value, facts));
  }
  for (const [name, value] of rules.add) headers.push(name, textOf(value, facts));
  const ruled = Fields.of(headers);
  if (!fields.isSound) ruled.isSound = false;
  return ruled;
}

/** Nothing that could end a header's line (RFC 9110 §5.5), whatever the facts have in them. */
const UNFIT = /[^\t -~\x80-\xff]/g;

function textOf(value: RuleValue, facts: RuleFacts): string {
  if (typeof value === 'string') return value;
  let text = '';
  for (const part of value) text += typeof part === 'string' ? part : factOf(part.variable, facts);
  return text.replace(UNFIT, '?');
}

function factOf(variable: RuleVariable, facts: RuleFacts): string {
  switch (variable) {
    case 'client_ip':
      return facts.clientAddress;
    case 'host':
      return facts.host;
    case 'request_id':
      return facts.requestId;
    case 'route':
      return facts.routeName;
    case 'upstream':
      return facts.upstreamName;
    case 'tls.version':
      return facts.tls?.version ?? '';
    case 'tls.client_subject':
      return facts.tls?.certificate?.commonName ?? '';
    case 'tls.client_san':
      return facts.tls?.certificate?.alternativeNames ?? '';
    case 'tls.client_fingerprint':
      return facts.tls?.certificate?.fingerprint ?? '';
  }
}

function dropHeader(headers: string[], lowerName: string): void {
  for (let at = headers.length - 2; at >= 0; at -= 2) {
    if (headers[at]?.toLowerCase() === lowerName) headers.splice(at, 2);
  }
}

import { fieldName } from '#core/field-names.ts';

/** Whether a spelling is common or learned: then there is one name of it. */
export function isFamiliar(spelling: string): boolean {
  const [one, other] = [fieldName(spelling), fieldName(spelling)];
  return one === other;
}

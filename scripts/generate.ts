// `npm run generate`: writes what is derived from the sources. Tests fail when any of it is stale.
import { writeFileSync } from 'node:fs';
import { renderMachinesPage } from '#actors/chart-page.ts';
import { renderJsonSchema } from '#config/json-schema.ts';
import { renderReference } from '#config/reference.ts';

const GENERATED = {
  'config/schema.json': renderJsonSchema,
  'docs/configuration.md': renderReference,
  'docs/machines.md': renderMachinesPage,
};

for (const [name, render] of Object.entries(GENERATED)) {
  writeFileSync(new URL(`../${name}`, import.meta.url), render());
  console.log(name);
}

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from './support/process.ts';

// What the linter sees only where it is spelled one way: imports by whatever path, and globals.

const SOURCES = globSync('src/**/*.ts', { cwd: ROOT }).map((file) => ({
  file,
  text: readFileSync(join(ROOT, file), 'utf8'),
}));

/** Folders of src/ (or its entry pages) that a file imports; its packages are left out. */
function foldersImportedBy({ file, text }: (typeof SOURCES)[number]): string[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(#[^']+|\.[^']+)'/g)].map(([, path = '']) => {
    const target = path.startsWith('#') ? `src/${path.slice(1)}` : normalize(join(dirname(file), path));
    return folderOf(target);
  });
}

/** `http` of src/http/x.ts; `main.ts` of src/main.ts. */
function folderOf(file: string): string {
  return file.split('/')[1] ?? '';
}

function offences(of: (folder: string) => boolean, mayImport: (folder: string) => boolean): string[] {
  return SOURCES.filter(({ file }) => of(folderOf(file))).flatMap((source) =>
    foldersImportedBy(source)
      .filter((folder) => folder !== folderOf(source.file) && !mayImport(folder))
      .map((folder) => `${source.file} imports ${folder}`),
  );
}

const DATA_PLANE = ['worker.ts', 'http', 'actors', 'shared'];

describe('the planes', () => {
  it('are apart: core imports nothing of the rest', () => {
    assert.deepEqual(
      offences(
        (folder) => folder === 'core',
        () => false,
      ),
      [],
    );
  });

  it('are apart: the data plane imports itself and core', () => {
    const mayImport = (folder: string) => folder === 'core' || DATA_PLANE.includes(folder);
    assert.deepEqual(
      offences((folder) => DATA_PLANE.includes(folder), mayImport),
      [],
    );
  });

  it('are apart: the machines import core, so that everything else may import them', () => {
    const isMachines = (folder: string) => folder === 'actors';
    assert.deepEqual(
      offences(isMachines, (folder) => folder === 'core'),
      [],
    );
  });

  for (const [what, pattern, allowed] of [
    ['chance comes from a Random', /\bMath\.random\b/, ['src/core/random.ts']],
    ['the environment is read once', /\bprocess\.env\b/, ['src/config/env.ts']],
    ['time comes from a Clock', /\b(?:hrtime|performance\.now|Date\.now)\b/, ['src/core/clock.ts']],
  ] as const) {
    it(`keep to it that ${what}`, () => {
      const found = SOURCES.filter(({ text }) => pattern.test(text)).map(({ file }) => file);
      assert.deepEqual(found, [...allowed]);
    });
  }
});

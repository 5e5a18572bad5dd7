import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const pages = ['README.md', ...globSync('docs/**/*.md', { cwd: root })];

const LINK = /\]\((?!https?:)([^)\s]+)\)/g;

describe('the documentation', () => {
  it('links to files and headings that are there', () => {
    const broken = pages.flatMap((page) =>
      linksOf(page)
        .filter((link) => !leadsSomewhere(page, link))
        .map((link) => `${page}: ${link}`),
    );
    assert.deepEqual(broken, []);
  });

  it('can be reached from the README, every page of it', () => {
    const reached = new Set(['README.md']);
    for (const page of reached) for (const link of linksOf(page)) reached.add(pageBehind(page, link));
    assert.deepEqual(
      pages.filter((page) => !reached.has(page)),
      [],
    );
  });

  it('gives every decision a number of its own', () => {
    const numbers = pages.filter(isDecision).map((page) => basename(page).slice(0, 3));
    assert.deepEqual(numbers, [...new Set(numbers)]);
  });
});

function linksOf(page: string): string[] {
  return [...read(page).matchAll(LINK)].map(([, link = '']) => link);
}

function leadsSomewhere(page: string, link: string): boolean {
  const [, heading] = link.split('#');
  const target = pageBehind(page, link);
  if (!existsSync(join(root, target))) return false;
  return heading === undefined || headingsOf(target).includes(heading);
}

/** A folder is shown by its README. */
function pageBehind(page: string, link: string): string {
  const [path = ''] = link.split('#');
  const target = path === '' ? page : relative(root, join(root, dirname(page), path));
  return existsSync(join(root, target, 'README.md')) ? join(target, 'README.md') : target;
}

/** As they are named in addresses: in lower case, with dashes for blanks, without other punctuation. */
function headingsOf(page: string): string[] {
  return [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

function isDecision(page: string): boolean {
  return /^docs\/decisions\/\d/.test(page);
}

function read(page: string): string {
  return existsSync(join(root, page)) && page.endsWith('.md') ? readFileSync(join(root, page), 'utf8') : '';
}

/** A configuration file as data, and where in the file each value stands. */

import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import type { Path, Position } from './diagnostics.ts';
import type { Environment } from './env.ts';
import { expand, isWhollyExpansion, readPlain } from './expand.ts';
import { MESSAGES, NESTING_MAX, type Syntax } from './syntax.ts';
import { schemaAt } from './walk.ts';
import { kindOf, kindsOf } from './wording.ts';

/** Values of a file, each alias counted with all that it stands for. */
const VALUES_MAX = 100_000;

/** Characters that the values with variables in them may have together. */
const EXPANDED_LENGTH_MAX = 1_048_576;

export type Mistake = { readonly path: Path; readonly position: Position; readonly message: string };

type Place = { readonly key: Position | null; readonly value: Position; readonly isLeaf: boolean };

const START: Position = { line: 1, column: 1 };

export class Source {
  /** Lists, sections and scalars; what could not be read is undefined. */
  readonly data: unknown;
  readonly mistakes: Mistake[] = [];
  readonly #positionAt: Syntax['positionAt'];
  readonly #env: Environment;
  readonly #anchors = new Map<string, Node>();
  /** Lists and sections that are being read. */
  readonly #open = new Set<Node>();
  readonly #places = new Map<string, Place>();
  readonly #variables = new Map<string, readonly string[]>();
  readonly #broken = new Set<string>();
  /** Lists and sections of which a part is broken. */
  readonly #incomplete = new Set<string>();
  #values = 0;
  #expandedLength = 0;

  constructor({ document, positionAt }: Syntax, env: Environment) {
    this.#positionAt = positionAt;
    this.#env = env;
    this.data = this.#read(document.contents, [], null);
  }

  /** Where a value stands: a list or section at its key, what is absent at what it should be in. */
  positionOf(path: Path): Position {
    const place = this.#places.get(JSON.stringify(path));
    if (place === undefined) return path.length === 0 ? START : this.positionOf(path.slice(0, -1));
    return place.isLeaf ? place.value : (place.key ?? place.value);
  }

  /** Where the last key of `path` stands. */
  keyPositionOf(path: Path): Position {
    return this.#places.get(JSON.stringify(path))?.key ?? this.positionOf(path);
  }

  /** The environment variables that the value at `path` has come from. */
  variablesOf(path: Path): readonly string[] {
    return this.#variables.get(JSON.stringify(path)) ?? [];
  }

  /** Whether the value at `path`, or one around it, or a part of it could not be read. */
  isBroken(path: Path): boolean {
    for (let depth = 0; depth <= path.length; depth++) {
      if (this.#broken.has(JSON.stringify(path.slice(0, depth)))) return true;
    }
    return this.#incomplete.has(JSON.stringify(path));
  }

  #read(node: Node | null, path: Path, key: Position | null): unknown {
    const isLeaf = isScalar(node) && node.value !== null;
    const value = node === null ? (key ?? START) : this.#positionAt(node.range?.[0] ?? 0);
    this.#places.set(JSON.stringify(path), { key, value, isLeaf });
    this.#values++;
    if (this.#values === VALUES_MAX) this.#note([], `there are more than ${VALUES_MAX} values`);
    if (this.#values >= VALUES_MAX) return undefined;
    if (path.length > NESTING_MAX) return this.#note(path, MESSAGES.RESOURCE_EXHAUSTION);

    if (isAlias(node)) return this.#readAlias(node, path, key);
    if (node !== null && 'anchor' in node && node.anchor) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return this.#readScalar(node, path);
    if (!isMap(node) && !isSeq(node)) return null;
    this.#open.add(node);
    const data = isMap(node)
      ? this.#readSection(node, path)
      : node.items.map((item, index) => this.#read(item as Node, [...path, index], null));
    this.#open.delete(node);
    return data;
  }

  #readAlias({ source }: Alias, path: Path, key: Position | null): unknown {
    const target = this.#anchors.get(source);
    if (target === undefined) return this.#note(path, MESSAGES.BAD_ALIAS);
    if (this.#open.has(target)) return this.#note(path, 'the alias stands for something that it is part of');
    return this.#read(target, path, key);
  }

  #readSection(node: YAMLMap, path: Path): Record<string, unknown> {
    const section: Record<string, unknown> = {};
    for (const pair of node.items as Pair<Scalar<string>, Node | null>[]) {
      const name = pair.key.value;
      const position = this.#positionAt(pair.key.range?.[0] ?? 0);
      if (Object.hasOwn(section, name)) {
        const { line } = this.keyPositionOf([...path, name]);
        this.mistakes.push({
          path: [...path, name],
          position,
          message: `given twice; first in line ${line}`,
        });
      } else if (name === '__proto__') {
        this.mistakes.push({ path, position, message: 'no key can have the name `__proto__`' });
      } else {
        section[name] = this.#read(pair.value, [...path, name], position);
      }
    }
    return section;
  }

  #readScalar(node: Scalar, path: Path): unknown {
    if (typeof node.value !== 'string' || !node.value.includes('${')) return node.value;
    const { text, variables, mistakes } = expand(node.value, this.#env);
    for (const message of mistakes) this.#note(path, message);
    if (mistakes.length > 0) return undefined;
    this.#expandedLength += text.length;
    if (this.#expandedLength > EXPANDED_LENGTH_MAX) {
      return this.#note(path, `variables expand to more than ${EXPANDED_LENGTH_MAX} characters`);
    }
    if (variables.length > 0) this.#variables.set(JSON.stringify(path), variables);
    return isWhollyExpansion(node.value) ? retype(text, path) : text;
  }

  /** A value that cannot be read: what depends on it is not judged. */
  #note(path: Path, message: string): undefined {
    this.mistakes.push({ path, position: this.positionOf(path), message });
    this.#broken.add(JSON.stringify(path));
    this.#incomplete.add(JSON.stringify(path.slice(0, -1)));
  }
}

/**
 * What an expanded text stands for: a number or a truth value where the schema takes one, in quotes or
 * not, since JSON has it in quotes always; and text elsewhere, since a token of digits is no number.
 */
function retype(text: string, path: Path): string | number | boolean {
  const schema = schemaAt(path);
  const value = readPlain(text);
  return schema !== null && kindsOf(schema).includes(kindOf(value)) ? value : text;
}

/** YAML text → document, and what is wrong with its syntax. */

import { type Document, type ErrorCode, Lexer, LineCounter, Parser, parseDocument } from 'yaml';
import type { Position } from './diagnostics.ts';

/** Levels of lists and sections; the schema needs ten. */
export const NESTING_MAX = 64;

/** After the first few, syntax errors are mostly consequences of those before. */
const SYNTAX_ERRORS_SHOWN_MAX = 10;

export type SyntaxMistake = { readonly position: Position; readonly message: string };

export type Syntax = {
  readonly document: Document.Parsed;
  positionAt(offset: number): Position;
};

/** Parses YAML 1.2, of which JSON is a part. */
export function parseSyntax(text: string): Syntax | { readonly mistakes: readonly SyntaxMistake[] } {
  const tooDeep = findTooDeep(text);
  if (tooDeep !== null) return { mistakes: [tooDeep] };

  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    schema: 'core',
    resolveKnownTags: false,
    stringKeys: true,
    // Looked for while reading, which knows the key's path, and without comparing each with every other.
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'error',
  });
  const positionAt = (offset: number) => positionIn(lines, offset);
  const errors = [...document.errors, ...document.warnings];
  if (errors.length === 0) return { document, positionAt };
  // Of a line, the first mistake counts: the others mostly follow from it.
  const mistakeByLine = new Map<number, SyntaxMistake>();
  for (const error of errors.sort((a, b) => b.pos[0] - a.pos[0])) {
    const offset = error.pos[0];
    const isVariable = offset > 0 && text.startsWith('${', offset - 1);
    const position = positionAt(isVariable ? offset - 1 : offset);
    const message = isVariable ? VARIABLE_IN_BRACKETS : MESSAGES[error.code];
    mistakeByLine.set(position.line, { position, message });
  }
  return { mistakes: [...mistakeByLine.values()].reverse().slice(0, SYNTAX_ERRORS_SHOWN_MAX) };
}

/**
 * The composer recurses, and text that is nested deep enough to exhaust the stack while V8 compiles a
 * regular expression ends the process. So the depth is measured first, by the parser, which does not.
 */
function findTooDeep(text: string): SyntaxMistake | null {
  const lines = new LineCounter();
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  for (const lexeme of new Lexer().lex(text)) {
    for (const _ of parser.next(lexeme));
    if (parser.stack.length <= NESTING_MAX) continue;
    return { position: positionIn(lines, parser.offset), message: MESSAGES.RESOURCE_EXHAUSTION };
  }
  return null;
}

function positionIn(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

const VARIABLE_IN_BRACKETS = 'within brackets, a variable stands in quotes';

/** Our own words: the library's quote the text, which may be a secret. */
export const MESSAGES: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias can have no tag and no anchor of its own',
  BAD_ALIAS: 'no anchor above has this name; put a text that starts with `*` or `&` in quotes',
  BAD_COLLECTION_TYPE: 'the tag does not fit the value behind it',
  BAD_DIRECTIVE: 'unknown directive; put a text that starts with `%` in quotes',
  BAD_DQ_ESCAPE: 'unknown escape in double quotes; write `\\\\` for a backslash, or use single quotes',
  BAD_INDENT: 'the indentation does not fit the lines around it; or is a closing bracket missing?',
  BAD_PROP_ORDER: 'anchors and tags stand behind the `-`, `?` or `:`',
  BAD_SCALAR_START: 'no value starts with this character; put the text in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second `:` or `-` on one line; put the text in quotes, or begin a new line',
  BLOCK_IN_FLOW: 'only values in brackets can stand within brackets',
  DUPLICATE_KEY: 'this key is given twice',
  IMPOSSIBLE: 'this is not YAML',
  KEY_OVER_1024_CHARS: 'a key has at most 1024 characters',
  MISSING_CHAR: 'something is missing here: a quote, a bracket, a comma, a colon or a space',
  MULTILINE_IMPLICIT_KEY: 'a key and its `:` stand on one line; is a `:` missing here?',
  MULTIPLE_ANCHORS: 'a value has at most one anchor; put a text that starts with `&` in quotes',
  MULTIPLE_DOCS: 'a second document starts here; a configuration is one document',
  MULTIPLE_TAGS: 'a value has at most one tag; put a text that starts with `!` in quotes',
  NON_STRING_KEY: 'a key is a text, no list, section or alias',
  RESOURCE_EXHAUSTION: `lists and sections are nested more than ${NESTING_MAX} deep`,
  TAB_AS_INDENT: 'tabs cannot indent; use spaces',
  TAG_RESOLVE_FAILED: 'unknown tag; put a text that starts with `!` in quotes',
  UNEXPECTED_TOKEN: 'this does not belong here; is a quote, a comma or a line break missing before it?',
};

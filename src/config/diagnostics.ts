import { SignalboxError } from '#core/errors.ts';

/** Keys and indexes that lead from the root of a configuration to a value. */
export type Path = readonly (string | number)[];

/** Both from 1; columns count UTF-16 code units, as editors do. */
export type Position = { readonly line: number; readonly column: number };

export type Diagnostic = {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** Null when it is about the file as a whole. */
  readonly position: Position | null;
  /** As people write it, such as `load_balancing.upstreams[0].port`; empty when there is none. */
  readonly path: string;
  /** One line, without secrets. */
  readonly message: string;
};

/** A configuration that cannot be used, with everything that is wrong with it. */
export class ConfigError extends SignalboxError {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super('config_invalid', 'operator', formatDiagnostics(diagnostics));
    this.name = 'ConfigError';
    this.diagnostics = diagnostics;
  }
}

/** A line each, `file:line:column: path: message`, in the order of the file. */
export function formatDiagnostics(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.toSorted(byPosition).map(formatDiagnostic).join('\n');
}

function formatDiagnostic({ severity, file, position, path, message }: Diagnostic): string {
  const place = position === null ? file : `${file}:${position.line}:${position.column}`;
  const parts = [place, severity === 'error' ? '' : severity, path, message];
  return parts.filter((part) => part !== '').join(': ');
}

function byPosition(a: Diagnostic, b: Diagnostic): number {
  const lines = (a.position?.line ?? 0) - (b.position?.line ?? 0);
  return lines === 0 ? (a.position?.column ?? 0) - (b.position?.column ?? 0) : lines;
}

/** `routes[0].match`; what is no plain key is quoted. */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!/^[\w-]+$/.test(step)) text += `[${JSON.stringify(printable(step))}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

const PRINTED_LENGTH_MAX = 60;

/** Text from a file or the environment, fit for one line of a terminal. */
export function printable(text: string): string {
  const shown = text.length > PRINTED_LENGTH_MAX ? `${text.slice(0, PRINTED_LENGTH_MAX)}…` : text;
  // Control, format and unassigned characters and line separators could rewrite what a terminal shows.
  return shown.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
}

import type { ExitCode } from './exit.ts';
import { unknownWord } from './unknown-word.ts';

/** What the file of a command exports. */
export type Command = {
  readonly help: string;
  /** Throws a SignalboxError for whatever its user can do something about. */
  run(args: readonly string[]): ExitCode | Promise<ExitCode>;
};

type Entry = {
  readonly summary: string;
  /** Imports the command's file, and all that it needs, only when it is used. */
  load(): Promise<Command>;
};

export const COMMANDS: Readonly<Record<string, Entry>> = {
  start: { summary: 'run an instance', load: () => import('./start.ts') },
  demo: { summary: 'run an instance before three small upstreams', load: () => import('./demo.ts') },
  check: { summary: 'find every mistake in a configuration', load: () => import('./check.ts') },
  upstreams: { summary: 'show and change the upstreams of a cluster', load: () => import('./upstreams.ts') },
  apply: { summary: 'make them what a configuration lists', load: () => import('./apply.ts') },
  reload: { summary: 'put a changed configuration into effect', load: () => import('./reload.ts') },
  explain: { summary: 'tell what happened to a request', load: () => import('./explain.ts') },
  keys: { summary: 'show and rotate the keys that sign tokens', load: () => import('./keys.ts') },
  users: { summary: 'show, change, disable or delete accounts', load: () => import('./users.ts') },
  sessions: { summary: 'end the sessions of a user', load: () => import('./sessions.ts') },
  hash: { summary: 'hash a password or a token for a configuration', load: () => import('./hash.ts') },
  chart: { summary: 'print the machines', load: () => import('./chart.ts') },
  help: { summary: 'explain a command', load: () => import('./help.ts') },
  version: { summary: 'print the version', load: () => import('./version.ts') },
};

/** Throws a SignalboxError if there is no such command. */
export async function loadCommand(name: string): Promise<Command> {
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry === undefined) throw unknownWord('command', name, Object.keys(COMMANDS), 'see `signalbox help`');
  return entry.load();
}

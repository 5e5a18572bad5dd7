import type { AnyStateNode } from 'xstate';
import type { Act } from './acts.ts';
import { Args } from './args.ts';

/** Ends the machine in `final` with its output, which is made from what the final state gives. */
export function finishing(root: AnyStateNode, final: AnyStateNode): Act {
  const type = `xstate.done.state.${final.id}`;
  if (root.output === undefined && final.output === undefined) {
    return { kind: 'finish', output: () => undefined };
  }
  const output = (args: Args) => {
    const done = { type, output: resolve(final.output, args) };
    return resolve(root.output, new Args(args.context, done));
  };
  return { kind: 'finish', output };
}

function resolve(output: unknown, args: Args): unknown {
  return typeof output === 'function' ? output(args) : output;
}

import type { AnyStateNode } from 'xstate';
import { Args } from './args.ts';
import type { Act } from './program.ts';

/** Ends the machine in `final` with its output, which is made from what the final state gives. */
export function finishing(root: AnyStateNode, final: AnyStateNode): Act {
  const type = `xstate.done.state.${final.id}`;
  if (root.output === undefined && final.output === undefined) return (actor) => actor.finish(undefined);
  return (actor) => {
    const { args } = actor;
    const done = { type, output: resolve(final.output, args) };
    actor.finish(resolve(root.output, new Args(args.context, done)));
  };
}

function resolve(output: unknown, args: Args): unknown {
  return typeof output === 'function' ? output(args) : output;
}

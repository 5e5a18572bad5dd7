/**
 * Writes what is done on an event as the source of one function, and makes it. To walk through a list of acts would
 * call all of the chart's functions from one place, where V8 inlines none of them: measured, 11 800 instructions for
 * a request in place of 7 700. Nothing of the chart gets into the source but keys of its context and types of its
 * events, as JSON; functions and values are handed over, and have numbers there.
 *
 *     seeking.limiting on limit.passed         function _seeking_limiting_on_limit_passed(actor, args) {
 *       isBodyAwaited ─► receiving      ─►       try { passes = v0(args, undefined); } catch (error) { throw v1(error); }
 *                     ─► selecting               if (passes) { … }
 *                                                const d1 = v6(args);
 *                                                actor.arrive(v7); actor.leave(1);
 *                                                const d2 = actor.invoke(1, v5, d1); d2.start() …
 *                                                return v7;
 */
import { SignalboxError } from '#core/errors.ts';
import type { Act, Assignment, Candidate, Guard, Params } from './acts.ts';
import type { Begin, Take, TakeAny } from './program.ts';

/** `name` is what profiles and stacks call it. */
export function emitTake(name: string, candidates: readonly Candidate[]): Take {
  const source = new Source();
  const unguarded = candidates.findIndex(({ guard }) => guard === null);
  const reachable = unguarded === -1 ? candidates : candidates.slice(0, unguarded + 1);
  const body = reachable.map((candidate) => source.candidate(candidate));
  const end = unguarded === -1 ? ['return null;'] : [];
  return source.functionOf(name, 'actor, args', ['let passes, given;', ...body, ...end]) as Take;
}

/** How a machine begins: in no state, and on no event. As in XState its steps start before its delays. */
export function emitBegin(acts: readonly Act[], rests: boolean): Begin {
  const source = new Source();
  const strides = source.strides(acts, rests);
  const steps = strides.filter(({ kind }) => kind === 'invoke');
  const others = strides.filter(({ kind }) => kind !== 'invoke');
  const body = [...strides.map(({ decide }) => decide), ...[...steps, ...others].map(({ act }) => act)];
  return source.functionOf('begin', 'actor, args', ['let given;', ...body]) as Begin;
}

/** `otherwise` is for events that have no function of their own. */
export function emitTakeAny(name: string, takes: ReadonlyMap<string, Take>, otherwise: Take | null): TakeAny {
  const source = new Source();
  const cases = [...takes].map(
    ([event, take]) => `case ${JSON.stringify(event)}: return ${source.call(take)};`,
  );
  const rest = `default: return ${otherwise === null ? 'null' : source.call(otherwise)};`;
  return source.functionOf(name, 'actor, args, event', [`switch (event) {`, ...cases, rest, '}']) as TakeAny;
}

/**
 * Makes an array of so many nulls: written out, it takes a sixth of what a copy does. Of `null` itself it would be one
 * for all, which is copied when it is written to.
 */
export function emitSlots(count: number): () => null[] {
  const make = generate(['none'], `return [${'none,'.repeat(count)}];`);
  return () => make(null) as null[];
}

type Generated = (...values: unknown[]) => unknown;

/** Throws a SignalboxError where Node is told to make no code of strings. */
function generate(parameters: readonly string[], source: string): Generated {
  try {
    return new Function(...parameters, source) as Generated;
  } catch (error) {
    if (!(error instanceof EvalError)) throw error;
    throw new SignalboxError(
      'code_generation_forbidden',
      'operator',
      'Node is told to make no code of strings, as which the state machines are compiled at a start: ' +
        'leave out --disallow-code-generation-from-strings',
      { cause: error },
    );
  }
}

/** What an act decides, and what it then does about it; empty where it does not. */
type Strides = { readonly decide: string; readonly act: string };
type ActStrides = Strides & { readonly kind: Act['kind'] };

class Source {
  readonly #values: unknown[] = [];
  #decisions = 0;

  candidate({ guard, acts, transition, rests }: Candidate): string {
    const to = this.#value(transition);
    const strides = this.strides(acts, rests);
    const decided = [...strides.map(({ decide }) => decide), `actor.arrive(${to});`];
    const taken = linesOf([...decided, ...strides.map(({ act }) => act), `return ${to};`]);
    return guard === null ? taken : `${this.#guard(guard)}\nif (passes) {\n${taken}\n}`;
  }

  strides(acts: readonly Act[], rests: boolean): ActStrides[] {
    return acts.map((act, index) => {
      const { decide, act: does } = this.#strides(act, rests);
      return { kind: act.kind, decide, act: isLeft(act, acts.slice(index)) ? '' : does };
    });
  }

  call(take: Take): string {
    return `${this.#value(take)}(actor, args)`;
  }

  functionOf(name: string, parameters: string, body: readonly string[]): unknown {
    const names = this.#values.map((_, index) => `v${index}`);
    const identifier = `_${name.replaceAll(/[^a-zA-Z0-9]/g, '_')}`;
    const source = `'use strict';\nreturn function ${identifier}(${parameters}) {\n${linesOf(body)}\n};`;
    return generate(names, source)(...this.#values);
  }

  #value(value: unknown): string {
    return `v${this.#values.push(value) - 1}`;
  }

  #guard({ ask, params, failed }: Guard): string {
    const asked = `passes = ${this.#value(ask)}(args, ${this.#given(params)});`;
    return `try { ${asked} } catch (error) { throw ${this.#value(failed)}(error); }`;
  }

  #strides(act: Act, rests: boolean): Strides {
    switch (act.kind) {
      case 'perform': {
        const action = this.#value(act.action);
        const given = this.#given(act.params);
        return deciding(rests ? `${action}(args, ${given});` : `actor.perform(${action}, ${given});`);
      }
      case 'assign':
        return deciding(this.#assign(act.assignments, act.params));
      case 'assignAll': {
        const assigned = `${this.#value(act.assigner)}(args, ${this.#given(act.params)})`;
        return deciding(`args.context = { ...args.context, ...${assigned} };`);
      }
      case 'wait': {
        const { event, msFor } = act.waiting;
        const ms = this.#decision();
        const wait = rests ? 'wait' : 'waitLater';
        return {
          decide: `const ${ms} = ${this.#value(msFor)}(args);`,
          act: `actor.${wait}(${act.slot}, ${this.#value(event)}, ${ms});`,
        };
      }
      case 'invoke':
        return this.#invoke(act, rests);
      case 'leave':
        return { decide: '', act: `actor.${rests ? 'leave' : 'leaveLater'}(${act.slot});` };
      case 'finish': {
        const output = this.#decision();
        return {
          decide: `const ${output} = ${this.#value(act.output)}(args);`,
          act: `actor.finish(${output});`,
        };
      }
    }
  }

  /** The call of the step is written out: in `start`, it would be one place for all of them. */
  #invoke({ slot, invocation }: Extract<Act, { kind: 'invoke' }>, rests: boolean): Strides {
    const { inputFor, run } = invocation;
    const input = this.#decision();
    const child = this.#decision();
    const given = inputFor === null ? this.#value(invocation.input) : `${this.#value(inputFor)}(args)`;
    const decide = `const ${input} = ${given};`;
    if (!rests) return { decide, act: `actor.invokeLater(${slot}, ${this.#value(invocation)}, ${input});` };
    const invoked = `const ${child} = actor.invoke(${slot}, ${this.#value(invocation)});`;
    const ran = `${child}.work = ${this.#value(run)}(${input}, ${child});`;
    return { decide, act: `${invoked}\ntry { ${ran} } catch (error) { ${child}.threw(error); }` };
  }

  /** The params are made once, before all of the new values. */
  #assign(assignments: readonly Assignment[], params: Params | null): string {
    const values = assignments.map(({ key, assigner, value }) => {
      const assigned = assigner === null ? this.#value(value) : `${this.#value(assigner)}(args, given)`;
      return `${propertyName(key)}: ${assigned}`;
    });
    return `given = ${this.#given(params)};\nargs.context = { ...args.context, ${values.join(', ')} };`;
  }

  #given(params: Params | null): string {
    return params === null ? 'undefined' : `${this.#value(params)}(args)`;
  }

  #decision(): string {
    return `d${this.#decisions++}`;
  }
}

/** What is left in the same transition, as in the end of the machine, never starts. */
function isLeft(begun: Act, others: readonly Act[]): boolean {
  const isBegun = begun.kind === 'invoke' || begun.kind === 'wait';
  return isBegun && others.some((act) => act.kind === 'leave' && act.slot === begun.slot);
}

function linesOf(lines: readonly string[]): string {
  return lines.filter(Boolean).join('\n');
}

function deciding(decide: string): Strides {
  return { decide, act: '' };
}

/** As plain text, `__proto__` would set the prototype. */
function propertyName(key: string): string {
  const text = JSON.stringify(key);
  return key === '__proto__' ? `[${text}]` : text;
}

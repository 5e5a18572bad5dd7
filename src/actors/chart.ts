/** Drawings of the machines, from the machines themselves. */
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { busLinkMachine } from './bus-link/machine.ts';
import { healthCheckMachine } from './health-check/machine.ts';
import { instanceMachine } from './instance/machine.ts';
import { requestMachine } from './request/machine.ts';
import { upstreamMachine } from './upstream/machine.ts';

/** Every machine that can be drawn, by the name it has on the command line. */
export const MACHINES = {
  request: requestMachine,
  upstream: upstreamMachine,
  healthCheck: healthCheckMachine,
  busLink: busLinkMachine,
  instance: instanceMachine,
} as const satisfies Record<string, AnyStateMachine>;

export type Chart = {
  readonly id: string;
  readonly states: readonly ChartState[];
  readonly edges: readonly ChartEdge[];
};

export type ChartState = {
  /** Path from the root: `seeking.limiting`. */
  readonly path: string;
  readonly description: string;
  readonly parent: string | null;
  readonly kind: 'atomic' | 'compound' | 'final';
  /** Initial child of a compound state. */
  readonly initial: string | null;
};

export type ChartEdge = {
  readonly from: string;
  readonly to: string;
  readonly event: string;
  readonly guard: string | null;
};

/** How the edge of a step that throws is labelled. */
export const STEP_THREW = 'step threw';

/** And the edge that is taken without an event. */
const ALWAYS = 'always';

/** The machine as plain data. */
export function chartOf(machine: AnyStateMachine): Chart {
  const nodes = descendants(machine.root);
  return {
    id: machine.id,
    states: nodes.map((node) => ({
      path: pathOf(node),
      description: node.description ?? '',
      parent: node.parent === undefined || node.parent === machine.root ? null : pathOf(node.parent),
      kind: kindOf(node),
      initial: kindOf(node) === 'compound' ? initialOf(node) : null,
    })),
    edges: nodes.flatMap(edgesOf),
  };
}

/** The path of a state's initial child. */
export function initialOf(node: AnyStateNode): string {
  const [target] = node.initial.target;
  return target === undefined ? '' : pathOf(target);
}

/** A Mermaid state diagram; without the edges of steps that throw, for whoever wants the gist. */
export function renderMermaid(machine: AnyStateMachine, withThrows = true): string {
  const chart = chartOf(machine);
  const edges = withThrows ? chart.edges : chart.edges.filter(({ event }) => event !== STEP_THREW);
  const lines = ['stateDiagram-v2', `  [*] --> ${idOf(initialOf(machine.root))}`];
  for (const state of chart.states) {
    if (state.parent === null) lines.push(...drawState(state, chart, '  '));
  }
  for (const edge of merged(edges)) {
    lines.push(`  ${idOf(edge.from)} --> ${idOf(edge.to)}: ${edge.label}`);
  }
  for (const state of chart.states) {
    if (state.kind === 'final') lines.push(`  ${idOf(state.path)} --> [*]`);
  }
  return `${lines.join('\n')}\n`;
}

function drawState(state: ChartState, chart: Chart, indent: string): string[] {
  const name = state.path.slice(state.path.lastIndexOf('.') + 1);
  const own = `${indent}state "${name}" as ${idOf(state.path)}`;
  if (state.kind !== 'compound') return [own];
  const children = chart.states.filter(({ parent }) => parent === state.path);
  return [
    `${own} {`,
    `${indent}  [*] --> ${idOf(state.initial ?? '')}`,
    ...children.flatMap((child) => drawState(child, chart, `${indent}  `)),
    `${indent}}`,
  ];
}

/** One arrow for all the events that lead from one state to the same other one, with all their guards. */
function merged(edges: readonly ChartEdge[]): { from: string; to: string; label: string }[] {
  const byEnds = Map.groupBy(edges, ({ from, to }) => `${from} ${to}`);
  return [...byEnds.values()].map((same) => {
    const { from = '', to = '' } = same[0] ?? {};
    const byEvent = Map.groupBy(same, ({ event }) => event);
    return { from, to, label: [...byEvent].map(([event, alike]) => labelOf(event, alike)).join(', ') };
  });
}

function labelOf(event: string, edges: readonly ChartEdge[]): string {
  const guards = edges.flatMap(({ guard }) => guard ?? []);
  return guards.length === 0 ? event : `${event} [${guards.join(' or ')}]`;
}

function descendants(node: AnyStateNode): AnyStateNode[] {
  return Object.values(node.states).flatMap((child) => [child, ...descendants(child)]);
}

function edgesOf(node: AnyStateNode): ChartEdge[] {
  const edges: ChartEdge[] = [];
  for (const [event, transitions] of [...node.transitions, [ALWAYS, node.always ?? []] as const]) {
    for (const { target, guard } of transitions) {
      const [to] = target ?? [];
      if (to === undefined) continue;
      edges.push({ from: pathOf(node), to: pathOf(to), event: eventName(event), guard: guardName(guard) });
    }
  }
  return edges;
}

function pathOf(node: AnyStateNode): string {
  return node.path.join('.');
}

function kindOf(node: AnyStateNode): ChartState['kind'] {
  if (node.type === 'final') return 'final';
  return Object.keys(node.states).length > 0 ? 'compound' : 'atomic';
}

/** XState's own events read as what they mean: a delay's name, a step that threw. */
function eventName(event: string): string {
  const [, after] = /^xstate\.after\.([A-Z_]+)\./.exec(event) ?? [];
  if (after !== undefined) return `after ${after}`;
  return event.startsWith('xstate.error.actor.') ? STEP_THREW : event;
}

function guardName(guard: unknown): string | null {
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'object' && guard !== null && 'type' in guard) return String(guard.type);
  return null;
}

function idOf(path: string): string {
  return path.replaceAll('.', '_');
}

/** docs/scale.svg: what a route and an upstream cost to find, by how many there are. */
import type { Scale } from './scale.ts';

const WIDTH = 640;
const HEIGHT = 320;
const LEFT = 70;
const RIGHT = 150;
const TOP = 20;
const BOTTOM = 50;
const NS_MIN = 10;
const NS_MAX = 10_000;
const COLOURS = ['#d62728', '#1f77b4', '#2ca02c', '#9467bd', '#ff7f0e', '#17becf'];
/** Between labels of curves that end at the same height. */
const LABEL_PX = 15;

export function renderScalePlot({ counts, curves }: Scale): string {
  const x = (count: number) =>
    LEFT + share(count, counts[0] ?? 1, counts.at(-1) ?? 1) * (WIDTH - LEFT - RIGHT);
  const y = (ns: number) => HEIGHT - BOTTOM - share(ns, NS_MIN, NS_MAX) * (HEIGHT - TOP - BOTTOM);
  const lines: string[] = [];
  for (let ns = NS_MIN; ns <= NS_MAX; ns *= 10) {
    lines.push(
      `<path d="M${LEFT} ${y(ns)}H${WIDTH - RIGHT}" stroke="#ddd"/>`,
      `<text x="${LEFT - 8}" y="${y(ns) + 4}" text-anchor="end">${ns < 1000 ? `${ns} ns` : `${ns / 1000} µs`}</text>`,
    );
  }
  for (const count of counts) {
    lines.push(`<text x="${x(count)}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle">${count}</text>`);
  }
  lines.push(
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 10}" text-anchor="middle">routes or upstreams</text>`,
  );
  const byHeight = [...curves].sort((a, b) => (b.ns.at(-1) ?? 0) - (a.ns.at(-1) ?? 0));
  let labelY = -Infinity;
  for (const { name, ns } of byHeight) {
    const colour = COLOURS[curves.findIndex((curve) => curve.name === name) % COLOURS.length] ?? '';
    const points = ns.map((it, index) => `${x(counts[index] ?? 1).toFixed(1)},${y(it).toFixed(1)}`).join(' ');
    labelY = Math.max(labelY + LABEL_PX, y(ns.at(-1) ?? 1) + 4);
    lines.push(
      `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      `<text x="${WIDTH - RIGHT + 8}" y="${labelY.toFixed(1)}" fill="${colour}">${name}</text>`,
    );
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
${lines.join('\n')}
</svg>
`;
}

function share(value: number, from: number, to: number): number {
  return (Math.log(value) - Math.log(from)) / (Math.log(to) - Math.log(from));
}

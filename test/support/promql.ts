/** What a PromQL expression asks for. No parser: strict enough for the expressions that we write. */

const WORDS = new Set(
  'by without on ignoring group_left group_right or and unless bool offset sum min max avg count rate increase irate histogram_quantile vector time'.split(
    ' ',
  ),
);

export type Asked = { readonly metrics: readonly string[]; readonly labels: readonly string[] };

/** Names of metrics and of labels, each as often as it is named. */
export function namesIn(expression: string): Asked {
  const labels: string[] = [];
  const rest = expression
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .replaceAll(/\{([^}]*)\}/g, (_, matchers: string) => {
      const inside = matchers.replaceAll(/"[^"]*"/g, '');
      labels.push(...(inside.match(/[a-zA-Z_]\w*/g) ?? []));
      return ' ';
    })
    .replaceAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g, (_, names: string) => {
      labels.push(...(names.match(/[a-zA-Z_]\w*/g) ?? []));
      return ' ';
    });
  const metrics = (rest.match(/[a-zA-Z_:][\w:]*/g) ?? []).filter((word) => !WORDS.has(word));
  return { metrics, labels };
}

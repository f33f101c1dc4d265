import { parser } from '@prometheus-io/lezer-promql';

/** One series that an expression asks for. */
export interface Selector {
  metric: string;
  /** By the label, with the operator before the value: `="inference"`. */
  matchers: ReadonlyMap<string, string>;
  /** The functions around it, the innermost first, for example `rate`, `histogram_quantile`. */
  inside: readonly string[];
}

export interface Expression {
  selectors: readonly Selector[];
  /** Every label that it names, in matchers, in `by`, in `on`. */
  labels: ReadonlySet<string>;
}

/** What an expression of Prometheus asks for, by Prometheus' own grammar; throws where it is none. */
export function parseExpression(text: string): Expression {
  const tree = parser.parse(text);
  const selectors: Selector[] = [];
  const labels = new Set<string>();
  const slice = ({ from, to }: { from: number; to: number }) => text.slice(from, to);
  tree.iterate({
    enter(node) {
      if (node.type.isError) throw new Error(`No PromQL from character ${node.from} on: ${text}`);
      if (node.name === 'LabelName') labels.add(slice(node));
      if (node.name !== 'VectorSelector') return;
      const metric = node.node.getChild('Identifier');
      if (metric === null) throw new Error(`A selector without a metric: ${slice(node)}`);
      const matchers = new Map<string, string>();
      for (const matcher of node.node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []) {
        const label = matcher.getChild('LabelName');
        if (label !== null) matchers.set(slice(label), text.slice(label.to, matcher.to).trim());
      }
      const inside: string[] = [];
      for (let parent = node.node.parent; parent !== null; parent = parent.parent) {
        const called = parent.name === 'FunctionCall' ? parent.getChild('FunctionIdentifier') : null;
        if (called !== null) inside.push(slice(called));
      }
      selectors.push({ metric: slice(metric), matchers, inside });
    },
  });
  return { selectors, labels };
}

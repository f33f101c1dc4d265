/** In pixels. */
export const ROW_HEIGHT = 34;

/** The axis of a chart of one row for each name, in the order of its data. */
export const NAMES_AXIS = {
  field: 'name',
  type: 'nominal',
  sort: null,
  title: null,
  axis: { labelLimit: 0 },
} as const;

/** Its other axis, which need not begin at zero: its values are points, not bars. */
export function valuesAxis(title: string, format: string) {
  return {
    type: 'quantitative',
    title,
    scale: { zero: false, nice: true, padding: 12 },
    axis: { format, tickCount: 6 },
  } as const;
}

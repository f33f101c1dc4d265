/** What a registry answers, by name and labels as they are written: `requests_total{code="200"}`. */
export async function samplesOf(registry: { metrics(): Promise<string> }): Promise<Record<string, number | undefined>> {
  return samplesIn(await registry.metrics());
}

/** The samples of a text in Prometheus' format. */
export function samplesIn(text: string): Record<string, number | undefined> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

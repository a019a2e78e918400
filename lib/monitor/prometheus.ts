/** Prometheus' text format, version 0.0.4: metrics and how they are written. */

/** A value with the labels that tell it from others of its metric. */
export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** A metric: its name, what it counts or measures, and its samples. */
export interface Metric {
  readonly name: string;
  /** A counter only grows, or begins again from 0. */
  readonly type: "counter" | "gauge";
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** Makes a counter; a number stands for one sample without labels. */
export function counter(name: string, help: string, samples: number | readonly Sample[]): Metric {
  return { name, type: "counter", help, samples: samplesOf(samples) };
}

/** Makes a gauge; a number stands for one sample without labels, null (unknown) for none. */
export function gauge(name: string, help: string, samples: number | null | readonly Sample[]): Metric {
  return { name, type: "gauge", help, samples: samplesOf(samples) };
}

function samplesOf(given: number | null | readonly Sample[]): readonly Sample[] {
  if (given === null) return [];
  return typeof given === "number" ? [[{}, given]] : given;
}

/** Writes metrics as Prometheus reads them. Leaves out those without samples. */
export function metricsText(metrics: readonly Metric[]): string {
  return metrics.filter(({ samples }) => samples.length > 0).flatMap(({ name, type, help, samples }) => [
    `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`,
    ...samples.map(([labels, value]) => `${name}${labelsText(labels)} ${value}\n`),
  ]).join("");
}

function labelsText(labels: Sample[0]): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join()}}`;
}

/** Escapes the three characters that a label's value may not hold as they are. */
function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => character === "\n" ? "\\n" : `\\${character}`);
}

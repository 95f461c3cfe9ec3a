// What /metrics says.

/** The samples of Prometheus' text format: name, labels, value. */
export function parse(metrics) {
  const samples = [];
  for (const line of metrics.split("\n")) {
    const match = /^green_inbox_(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!match) continue;
    const labels = Object.fromEntries([...(match[2] ?? "").matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
    samples.push({ name: match[1], labels, value: Number(match[3]) });
  }
  return samples;
}

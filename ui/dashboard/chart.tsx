import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';

export interface Line {
  readonly label: string;
  readonly values: readonly number[];
  /** Name of the custom property with its colour. */
  readonly colour: string;
}

interface ChartProps {
  readonly title: string;
  readonly seconds: readonly number[];
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
}

const HEIGHT = 132;
/** How much is seen. */
const SECONDS = 180;

/** Lines over the last minutes. The present numbers are beside it as text, so a screen reader needs no picture. */
export function Chart({ title, seconds, lines, format }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data = [seconds, ...lines.map(({ values }) => values)] as unknown as uPlot.AlignedData;
  const latest = useRef(data);
  latest.current = data;

  useEffect(() => {
    const { current } = box;
    if (current === null) return;
    const make = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsOf(current, lines, format), latest.current, current);
    };
    make();
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: current.clientWidth, height: HEIGHT }));
    resized.observe(current);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', make);
    window.addEventListener('viaduct-theme', make);
    return () => {
      resized.disconnect();
      scheme.removeEventListener('change', make);
      window.removeEventListener('viaduct-theme', make);
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);

  useEffect(() => plot.current?.setData(data), [data]);

  return (
    <section class="card chart" aria-label={title}>
      <div class="chart-head">
        <h2>{title}</h2>
        {lines.map(({ label, values, colour }) => (
          <span key={label}>
            <i class="dot" style={{ background: `var(${colour})` }} /> {label} <b>{format(values.at(-1) ?? 0)}</b>
          </span>
        ))}
      </div>
      <div ref={box} class="plot" aria-hidden="true" />
    </section>
  );
}

const timeOfDay = (seconds: number): string =>
  new Date(seconds * 1000).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

function optionsOf(box: HTMLElement, lines: readonly Line[], format: (value: number) => string): uPlot.Options {
  const style = getComputedStyle(box);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--muted'),
    font: '11px system-ui',
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: box.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: false } },
    padding: [8, 8, 0, 0],
    scales: {
      x: { range: (_plot, _first, last) => [last - SECONDS, last] },
      y: { range: (_plot, _low, high) => [0, Math.max(high * 1.15, 1)] },
    },
    axes: [
      { ...axis, size: 22, space: 80, grid: { show: false }, values: (_plot, values) => values.map(timeOfDay) },
      { ...axis, size: 58, values: (_plot, values) => values.map(format) },
    ],
    series: [
      {},
      ...lines.map(({ label, colour: name }) => ({
        label,
        stroke: colour(name),
        fill: `${colour(name)}22`,
        width: 1.5,
        points: { show: false },
      })),
    ],
  };
}

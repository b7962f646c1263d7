import type { Profile } from '../../src/trace/document.ts';
import { shortPath } from './format.ts';

/** One box of a flame graph. Positions are parts of the whole width: 0 to 1. */
export interface FlameBox {
  readonly frame: string;
  readonly depth: number;
  readonly left: number;
  readonly width: number;
  readonly samples: number;
  /** Samples with this frame as the innermost one. */
  readonly self: number;
  /** The frames from the outermost to this one, joined: it names the box. */
  readonly key: string;
}

interface Node {
  readonly frame: string;
  samples: number;
  self: number;
  readonly children: Map<string, Node>;
}

/** Stacks with the same beginning share its boxes. The widest box comes first at each depth. */
export function flameBoxes({ stacks }: Profile): readonly FlameBox[] {
  const root: Node = { frame: '', samples: 0, self: 0, children: new Map() };
  for (const { frames, samples } of stacks) {
    let node = root;
    node.samples += samples;
    for (const frame of frames) {
      let child = node.children.get(frame);
      if (child === undefined) {
        child = { frame, samples: 0, self: 0, children: new Map() };
        node.children.set(frame, child);
      }
      child.samples += samples;
      node = child;
    }
    node.self += samples;
  }
  const boxes: FlameBox[] = [];
  place(root, 0, 0, '', root.samples, boxes);
  return boxes;
}

function place(node: Node, depth: number, left: number, path: string, total: number, boxes: FlameBox[]): void {
  let at = left;
  for (const child of [...node.children.values()].sort((a, b) => b.samples - a.samples)) {
    const { frame, samples, self } = child;
    const key = `${path}\n${frame}`;
    const width = samples / total;
    boxes.push({ frame, depth, left: at, width, samples, self, key });
    place(child, depth + 1, at, key, total, boxes);
    at += width;
  }
}

/** Functions by the samples in which they ran themselves, the most first. */
export function hottest(boxes: readonly FlameBox[], limit: number): readonly { frame: string; samples: number }[] {
  const sums = new Map<string, number>();
  for (const { frame, self } of boxes) if (self > 0) sums.set(frame, (sums.get(frame) ?? 0) + self);
  return [...sums]
    .map(([frame, samples]) => ({ frame, samples }))
    .sort((a, b) => b.samples - a.samples)
    .slice(0, limit);
}

/** A frame with the end of its path, as the other tabs show files: `view (shop/views.py:12)`. */
export function frameTitle(frame: string): string {
  const [, name, file, line] = /^(.*) \((.*)(:\d+)\)$/.exec(frame) ?? [];
  return file === undefined ? frame : `${name} (${shortPath(file)}${line})`;
}

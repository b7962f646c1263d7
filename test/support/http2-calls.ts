import { FrameReader, type FrameReceiver } from '../../src/http/http2/frame-reader.ts';

/** Writes down what the frames of a peer say, one line for each call. */
export class CallLog implements FrameReceiver {
  readonly calls: string[] = [];
  onCall: (call: string) => void = () => {};

  onData(id: number, length: number): void {
    this.#add(`data ${id} of ${length}`);
  }

  onContent(id: number, bytes: Buffer, start: number, end: number): void {
    this.#add(`content ${id} ${quote(bytes, start, end)}`);
  }

  onDataOver(id: number, padding: number, endsStream: boolean): void {
    this.#add(`over ${id} padding ${padding}${endsStream ? ' end' : ''}`);
  }

  onHeaders(id: number, bytes: Buffer, start: number, end: number, endsStream: boolean, dependsOn: number): void {
    this.#add(`headers ${id} ${quote(bytes, start, end)} ${dependsOn}${endsStream ? ' end' : ''}`);
  }

  onPriority(id: number, dependsOn: number, isValid: boolean): void {
    this.#add(isValid ? `priority ${id} ${dependsOn}` : `invalid priority ${id}`);
  }

  onReset(id: number, code: number): void {
    this.#add(`reset ${id} ${code}`);
  }

  onSettings(bytes: Buffer, start: number, end: number): void {
    this.#add(['settings', ...(bytes.toString('hex', start, end).match(/.{12}/g) ?? [])].join(' '));
  }

  onSettingsAck(): void {
    this.#add('settings ack');
  }

  onPing(bytes: Buffer, start: number, isAck: boolean): void {
    this.#add(`ping ${bytes.toString('latin1', start, start + 8)}${isAck ? ' ack' : ''}`);
  }

  onGoaway(lastId: number, code: number): void {
    this.#add(`goaway ${lastId} ${code}`);
  }

  onWindowUpdate(id: number, increment: number): void {
    this.#add(`window ${id} ${increment}`);
  }

  onPriorityUpdate(id: number, bytes: Buffer, start: number, end: number): void {
    this.#add(`priority update ${id} ${quote(bytes, start, end)}`);
  }

  onUnknown(): void {
    this.#add('unknown');
  }

  onViolation(code: number, _reason: string): void {
    this.#add(`violation ${code}`);
  }

  /** The calls, with the parts of the content of one DATA frame as one call. */
  merged(): readonly string[] {
    const merged: string[] = [];
    for (const call of this.calls) {
      const before = merged.at(-1) ?? '';
      if (call.startsWith('content') && before.startsWith('content')) {
        merged[merged.length - 1] = before.slice(0, -1) + call.slice(call.indexOf('"') + 1);
      } else merged.push(call);
    }
    return merged;
  }

  #add(call: string): void {
    this.calls.push(call);
    this.onCall(call);
  }
}

/** The calls of a `FrameReader` when `bytes` arrive in pieces that end at `cuts`. Each piece comes in memory that is used again. */
export function callsOf(
  bytes: Buffer,
  cuts: readonly number[],
  sectionBytesMax: number,
  awaitsPreface: boolean,
): readonly string[] {
  const log = new CallLog();
  const reader = new FrameReader(log, sectionBytesMax, awaitsPreface);
  const memory = Buffer.alloc(bytes.length + 10);
  let start = 0;
  for (const cut of [...cuts, bytes.length]) {
    memory.fill(0xff);
    bytes.copy(memory, 0, start, cut);
    reader.receive(memory, cut - start);
    start = cut;
  }
  return log.merged();
}

function quote(bytes: Buffer, start: number, end: number): string {
  return `"${bytes.toString('latin1', start, end)}"`;
}

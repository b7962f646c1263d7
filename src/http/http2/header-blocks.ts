import { HAS_DATE } from '../response.ts';
import type { FrameWriter } from './frame-writer.ts';
import { HpackEncoder } from './hpack/encoder.ts';
import type { OutgoingField } from './hpack/outgoing-field.ts';
import { dateField, type FieldList } from './response-fields.ts';

/** How many kinds of responses one connection remembers. */
const REMEMBERED_MAX = 8;

interface Block {
  readonly list: FieldList;
  readonly date: OutgoingField | null;
  /** Until the table of the encoder changes, the same fields have the same bytes. -1 when the table changed meanwhile. */
  readonly generation: number;
  readonly bytes: Buffer;
}

/** Memory in which blocks are encoded. */
let scratch = Buffer.allocUnsafeSlow(4096);

/** Encodes the header sections that one connection sends. A section that recurs is encoded once, and copied from then on. */
export class HeaderBlocks {
  readonly encoder = new HpackEncoder();
  readonly #remembered: Block[] = [];
  #next = 0;

  /** Writes the section of a response, followed by Date unless the response brings one. */
  write(writer: FrameWriter, id: number, list: FieldList, endsStream: boolean): void {
    const date = (list.has & HAS_DATE) === 0 ? dateField() : null;
    const remembered = this.#remembered;
    const { generation } = this.encoder;
    let recurs = false;
    let index = -1;
    for (let i = 0; i < remembered.length; i += 1) {
      const block = remembered[i] as Block;
      if (block.list !== list) continue;
      if (block.generation === generation && block.date === date) {
        writer.headers(id, block.bytes, 0, block.bytes.length, endsStream);
        return;
      }
      recurs = true;
      index = i;
      break;
    }
    const bytes = this.#encode(list.fields, date, recurs);
    writer.headers(id, bytes, 0, bytes.length, endsStream);
    if (index < 0) {
      index = this.#next;
      this.#next = (index + 1) % REMEMBERED_MAX;
    }
    remembered[index] = { list, date, bytes, generation: this.encoder.generation === generation ? generation : -1 };
  }

  /** Writes a section that is unlikely to recur. */
  writeOnce(writer: FrameWriter, id: number, fields: readonly OutgoingField[], endsStream: boolean): void {
    const bytes = this.#encode(fields, null, false);
    writer.headers(id, bytes, 0, bytes.length, endsStream);
  }

  /** Frees what only makes later responses faster. */
  forget(): void {
    this.#remembered.length = 0;
    this.#next = 0;
  }

  #encode(fields: readonly OutgoingField[], date: OutgoingField | null, recurs: boolean): Buffer {
    const all = date === null ? fields : [...fields, date];
    const most = HpackEncoder.sizeMax(all);
    if (most > scratch.length) scratch = Buffer.allocUnsafeSlow(most);
    return Buffer.from(scratch.subarray(0, this.encoder.encode(all, scratch, 0, recurs)));
  }
}

// Splits the wall's byte stream into records: two lengths, a JSON head, a body.

const LENGTHS = 8;
const text = new TextDecoder();

export class RecordReader {
  constructor() {
    this.rest = new Uint8Array(0);
  }

  // Returns the records completed by `chunk`, each {head, body}.
  push(chunk) {
    const bytes = join(this.rest, chunk);
    const lengths = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const records = [];
    let at = 0;
    while (bytes.length - at >= LENGTHS) {
      const bodyAt = at + LENGTHS + lengths.getUint32(at);
      const end = bodyAt + lengths.getUint32(at + 4);
      if (bytes.length < end) break;
      const head = JSON.parse(text.decode(bytes.subarray(at + LENGTHS, bodyAt)));
      records.push({ head, body: bytes.slice(bodyAt, end) });
      at = end;
    }
    this.rest = bytes.subarray(at);
    return records;
  }
}

function join(first, second) {
  if (!first.length) return second;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

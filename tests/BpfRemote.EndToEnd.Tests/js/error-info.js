// Reads google.rpc.Status, as it comes in the trailer grpc-status-details-bin, without a generated decoder.

// The fields of a protobuf message: number -> values, integers as numbers and everything else as bytes.
function readFields(bytes) {
  const fields = new Map();
  for (let at = 0; at < bytes.length;) {
    const varint = () => {
      let value = 0;
      for (let scale = 1; ; scale *= 128) {
        const byte = bytes[at++];
        value += (byte & 127) * scale;
        if (byte < 128) {
          return value;
        }
      }
    };
    const tag = varint();
    let value;
    switch (tag & 7) {
      case 0:
        value = varint();
        break;
      case 2: {
        const length = varint();
        value = bytes.subarray(at, at += length);
        break;
      }
      default:
        throw new Error(`wire type ${tag & 7} does not occur in google.rpc.Status`);
    }
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value]);
  }
  return fields;
}

const text = (fields, number) => fields.get(number)?.[0].toString('utf8') ?? '';

/** The status, the types of its details, and its one ErrorInfo: domain, reason, metadata. */
export function readErrorInfo(bytes) {
  const status = readFields(bytes);
  const details = (status.get(3) ?? []).map(readFields).map((any) => ({ type: text(any, 1), value: any.get(2)?.[0] ?? Buffer.alloc(0) }));
  const infos = details.filter(({ type }) => type === 'type.googleapis.com/google.rpc.ErrorInfo');
  if (infos.length !== 1) {
    throw new Error(`${infos.length} ErrorInfo in the status`);
  }
  const info = readFields(infos[0].value);
  const metadata = (info.get(3) ?? []).map(readFields).map((entry) => [text(entry, 1), text(entry, 2)]);
  return {
    status: { code: status.get(1)[0], message: text(status, 2) },
    detailTypes: details.map(({ type }) => type),
    reason: text(info, 1),
    domain: text(info, 2),
    metadata: Object.fromEntries(metadata),
  };
}

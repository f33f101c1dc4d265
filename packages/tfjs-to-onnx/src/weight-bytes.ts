/** Weights as `weightData` holds them: little-endian float32, one weight after the other. */
export function weightBytes(tensors: readonly Float32Array[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(tensors.reduce((total, { byteLength }) => total + byteLength, 0)));
  let offset = 0;
  for (const data of tensors) {
    for (const value of data) {
      view.setFloat32(offset, value, true);
      offset += Float32Array.BYTES_PER_ELEMENT;
    }
  }
  return new Uint8Array(view.buffer);
}

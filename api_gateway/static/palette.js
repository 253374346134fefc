// An emotion's colour comes from its spelling, since a model may have any labels. overlay.py counts the same.

const SPREAD = 10607961;
const HUES_SHIFT = 29; // the upper three bits: eight hues

export function hue(emotion) {
  return Math.imul(crc32(new TextEncoder().encode(emotion)), SPREAD) >>> HUES_SHIFT;
}

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
}

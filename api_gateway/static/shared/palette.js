// Colours of emotions. A model may have any labels, so the colour is a hash of the label; rendering/overlay.py computes
// the same hash. If labels share a colour, a texture distinguishes their areas, and a legend names each of them.

const HASH_FACTOR = 10607961;
const HASH_SHIFT = 29; // the upper three bits: eight hues
const TEXTURES = 4;

/** The index (0 to 7) of an emotion's hue. */
export function hue(emotion) {
  return Math.imul(crc32(new TextEncoder().encode(emotion)), HASH_FACTOR) >>> HASH_SHIFT;
}

/** An emotion's colour, as style.css defines it. */
export function colour(emotion) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--hue-${hue(emotion)}`).trim();
}

/** The texture that distinguishes an emotion from the labels of the same hue; 0 is plain. */
export function texture(emotion, labels) {
  const sameHue = [...labels].filter((label) => hue(label) === hue(emotion)).sort();
  return Math.max(0, sameHue.indexOf(emotion)) % TEXTURES;
}

/** The CSS classes for an emotion's colour and texture. */
export function emotionClasses(emotion, labels = [emotion]) {
  return `hue-${hue(emotion)} texture-${texture(emotion, labels)}`;
}

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
}

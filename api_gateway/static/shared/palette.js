// An emotion's colour comes from its spelling, since a model may have any labels. overlay.py counts the same.
// Two labels may share a colour, so their areas differ in texture as well, and every one is named beside it.

const SPREAD = 10607961;
const HUES_SHIFT = 29; // the upper three bits: eight hues
const TEXTURES = 4;

/** Which of the eight hues an emotion has. */
export function hue(emotion) {
  return Math.imul(crc32(new TextEncoder().encode(emotion)), SPREAD) >>> HUES_SHIFT;
}

/** The emotion's colour, as style.css has it. */
export function colour(emotion) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--hue-${hue(emotion)}`).trim();
}

/** Which texture sets an emotion apart from those of the same hue among all labels; 0 is plain. */
export function texture(emotion, labels) {
  const alike = [...labels].filter((label) => hue(label) === hue(emotion)).sort();
  return Math.max(0, alike.indexOf(emotion)) % TEXTURES;
}

/** The classes that give an element an emotion's colour and texture. */
export function paint(emotion, labels = [emotion]) {
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

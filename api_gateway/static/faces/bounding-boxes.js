// A box with words round each face of a picture. They are elements above it, so they are sharp at any size.

import { make } from "../shared/dom.js";
import { hue } from "../shared/palette.js";

const UNCERTAIN = "uncertain";
const ROOM_ABOVE = 0.09; // of the height: with less, the words stand inside the box
const ROOM_ASIDE = 0.6; // of the width: further right they grow to the left

export class Boxes {
  /** @param {HTMLElement} place that covers the picture */
  constructor(place) {
    this.place = place;
    this.known = new Map();
  }

  /** @param {{width: number, height: number, faces: object[]} | null} frame boxes in pixels of this size */
  show(frame) {
    const faces = new Map((frame?.faces ?? []).map((face) => [face.track, face]));
    for (const [track, box] of this.known) {
      if (!faces.has(track)) {
        box.remove();
        this.known.delete(track);
      }
    }
    for (const [track, face] of faces) {
      if (!this.known.has(track)) this.add(track);
      this.put(this.known.get(track), face, frame);
    }
  }

  add(track) {
    const box = make("div", { class: "box" }, make("span", { class: "box-label" }));
    this.known.set(track, box);
    this.place.append(box);
  }

  put(box, face, frame) {
    const [left, top, right, bottom] = within(face.box, frame);
    Object.assign(box.style, {
      left: `${left * 100}%`, top: `${top * 100}%`, width: `${(right - left) * 100}%`, height: `${(bottom - top) * 100}%`,
    });
    box.className = face.emotion && face.emotion !== UNCERTAIN ? `box hue-${hue(face.emotion)}` : "box";
    box.toggleAttribute("data-high", top < ROOM_ABOVE);
    box.toggleAttribute("data-right", left > ROOM_ASIDE);
    const words = wordsOf(face);
    box.firstChild.hidden = !words;
    if (box.firstChild.textContent !== words) box.firstChild.textContent = words;
  }
}

function wordsOf(face) {
  if (!face.emotion) return "";
  return face.emotion === UNCERTAIN ? `${face.between.join(" or ")}?` : `${face.emotion} ${face.confidence.toFixed(0)}%`;
}

function within([left, top, width, height], frame) {
  const part = (pixels, all) => Math.min(1, Math.max(0, pixels / all));
  return [
    part(left, frame.width), part(top, frame.height), part(left + width, frame.width), part(top + height, frame.height),
  ];
}

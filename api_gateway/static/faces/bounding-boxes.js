// A labelled bounding box for each face of a picture. The boxes are elements above the picture: sharp at any size.

import { createElement } from "../shared/dom.js";
import { hue } from "../shared/palette.js";

const UNCERTAIN = "uncertain";
const LABEL_HEIGHT = 0.09; // of the picture: with less room above the box, the label goes inside it
const LABEL_TURN = 0.6; // of the picture's width: further right, the label extends to the left

export class BoundingBoxes {
  /** @param {HTMLElement} layer an element that covers the picture */
  constructor(layer) {
    this.layer = layer;
    this.boxes = new Map();
  }

  /** @param {{width: number, height: number, faces: object[]} | null} frame with boxes in pixels of this size */
  show(frame) {
    const faces = new Map((frame?.faces ?? []).map((face) => [face.track, face]));
    for (const [track, box] of this.boxes) {
      if (!faces.has(track)) {
        box.remove();
        this.boxes.delete(track);
      }
    }
    for (const [track, face] of faces) {
      if (!this.boxes.has(track)) this.add(track);
      this.update(this.boxes.get(track), face, frame);
    }
  }

  add(track) {
    const box = createElement("div", { class: "box" }, createElement("span", { class: "box-label" }));
    this.boxes.set(track, box);
    this.layer.append(box);
  }

  update(box, face, frame) {
    const [left, top, right, bottom] = relativeEdges(face.box, frame);
    Object.assign(box.style, {
      left: `${left * 100}%`, top: `${top * 100}%`, width: `${(right - left) * 100}%`, height: `${(bottom - top) * 100}%`,
    });
    box.className = face.emotion && face.emotion !== UNCERTAIN ? `box hue-${hue(face.emotion)}` : "box";
    box.toggleAttribute("data-high", top < LABEL_HEIGHT);
    box.toggleAttribute("data-right", left > LABEL_TURN);
    const text = labelOf(face);
    box.firstChild.hidden = !text;
    if (box.firstChild.textContent !== text) box.firstChild.textContent = text;
  }
}

function labelOf(face) {
  if (!face.emotion) return "";
  return face.emotion === UNCERTAIN ? `${face.between.join(" or ")}?` : `${face.emotion} ${face.confidence.toFixed(0)}%`;
}

/** Left, top, right and bottom as parts of the frame, 0 to 1, clipped to it. */
function relativeEdges([left, top, width, height], frame) {
  const part = (pixels, total) => Math.min(1, Math.max(0, pixels / total));
  return [
    part(left, frame.width), part(top, frame.height), part(left + width, frame.width), part(top + height, frame.height),
  ];
}

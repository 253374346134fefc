// A picture that was looked at: boxes above it, and a card for each face.

import { Boxes } from "../faces/bounding-boxes.js";
import { make } from "../shared/dom.js";
import { Card } from "../faces/face-cards.js";

/** @param {HTMLElement} place @param {File} file @param {object} answer of /api/v1/predict */
export async function showPicture(place, file, answer) {
  const canvas = make("canvas", { role: "img", "aria-label": `${file.name}, ${count(answer.faces.length)}` });
  const boxes = make("div", { class: "boxes", "aria-hidden": "true" });
  const screen = make("div", { class: "screen" }, canvas, boxes);
  const cards = answer.faces.map((face, index) => {
    const card = new Card(`face ${index + 1}`, index);
    card.show(face);
    return card.root;
  });
  const told = [file.name, count(answer.faces.length), answer.model, `${answer.took_ms} ms`].filter(Boolean).join(" · ");
  place.replaceChildren(make("article", { class: "card looked-at" },
    make("h3", { text: told }), screen, make("ul", { class: "faces" }, ...cards)));
  screen.style.aspectRatio = `${answer.width} / ${answer.height}`;
  const faces = answer.faces.map((face, index) => ({ ...face, track: index + 1 }));
  new Boxes(boxes).show({ width: answer.width, height: answer.height, faces });
  const picture = await createImageBitmap(file);
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext("2d").drawImage(picture, 0, 0);
  picture.close();
}

const count = (faces) => (faces === 1 ? "1 face" : `${faces || "no"} faces`);

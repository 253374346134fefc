// The result of a picture: bounding boxes above it, and a card for each face.

import { BoundingBoxes } from "../faces/bounding-boxes.js";
import { FaceCard } from "../faces/face-cards.js";
import { createElement } from "../shared/dom.js";

/** @param {HTMLElement} container @param {File} file @param {object} prediction the response of /api/v1/predict */
export async function showPictureResult(container, file, prediction) {
  const faceCount = countFaces(prediction.faces.length);
  const canvas = createElement("canvas", { role: "img", "aria-label": `${file.name}, ${faceCount}` });
  const boxes = createElement("div", { class: "boxes", "aria-hidden": "true" });
  const screen = createElement("div", { class: "screen" }, canvas, boxes);
  const cards = prediction.faces.map((face, index) => {
    const card = new FaceCard(`face ${index + 1}`, index);
    card.show(face);
    return card.root;
  });
  const title = [file.name, faceCount, prediction.model, `${prediction.took_ms} ms`].filter(Boolean).join(" · ");
  container.replaceChildren(createElement("article", { class: "card prediction" },
    createElement("h3", { text: title }), screen, createElement("ul", { class: "faces" }, ...cards)));
  screen.style.aspectRatio = `${prediction.width} / ${prediction.height}`;
  const faces = prediction.faces.map((face, index) => ({ ...face, track: index + 1 }));
  new BoundingBoxes(boxes).show({ width: prediction.width, height: prediction.height, faces });
  const picture = await createImageBitmap(file);
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext("2d").drawImage(picture, 0, 0);
  picture.close();
}

const countFaces = (count) => (count === 1 ? "1 face" : `${count || "no"} faces`);

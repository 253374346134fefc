// A card for each face in view: emotion, confidence, a bar for each probability, and what makes it hard to judge.

import { Bars } from "./probability-bars.js";
import { copyOf, write } from "../shared/dom.js";
import { hue } from "../shared/palette.js";

const FORGOTTEN_MS = 2000;
const UNCERTAIN = "uncertain"; // no emotion: it has no colour of its own

export class Faces {
  /** @param {HTMLElement} list @param {HTMLElement} nobody shown while there is no face */
  constructor(list, nobody) {
    this.list = list;
    this.nobody = nobody;
    this.cards = new Map();
  }

  /** Show a reading. */
  show(reading) {
    if (!reading.emotion) return;
    const key = `${reading.epoch}/${reading.track}`;
    let card = this.cards.get(key);
    if (!card) {
      card = new Card(`face ${reading.track}`, reading.track);
      this.cards.set(key, card);
      const behind = [...this.cards.values()].filter((other) => other.order > card.order);
      this.list.insertBefore(card.root, behind.sort((a, b) => a.order - b.order)[0]?.root ?? null);
    }
    card.show(reading);
    card.shown = performance.now();
    this.nobody.hidden = true;
  }

  clear() {
    this.cards.forEach((card) => card.root.remove());
    this.cards.clear();
    this.nobody.hidden = false;
  }

  /** Take away who was not seen for two seconds. */
  forget() {
    const oldest = performance.now() - FORGOTTEN_MS;
    for (const [key, card] of this.cards) {
      if (card.shown < oldest) {
        card.root.remove();
        this.cards.delete(key);
      }
    }
    this.nobody.hidden = this.cards.size > 0;
  }
}

/** What is known of one face. */
export class Card {
  /** @param {string} name @param {number} order its place among others */
  constructor(name, order) {
    Object.assign(this, copyOf("face"));
    this.order = order;
    this.track.textContent = name;
    this.probabilities = new Bars(this.bars);
  }

  /** @param {{emotion, between, confidence, probabilities, flaws}} answer as readings and predictions have it */
  show(answer) {
    this.root.className = answer.emotion === UNCERTAIN ? "face" : `face hue-${hue(answer.emotion)}`;
    write(this.emotion, answer.emotion);
    write(this.confidence, `${answer.confidence.toFixed(0)}%`);
    write(this.between, answer.between.length ? `${answer.between.join(" or ")}?` : "");
    write(this.flaws, answer.flaws.length ? `Hard to judge: ${answer.flaws.join(", ")}` : "");
    this.probabilities.show(answer.probabilities, [answer.emotion, ...answer.between]);
  }
}

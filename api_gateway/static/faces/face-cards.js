// A card for each face in view: emotion, confidence, probabilities and image quality.

import { cloneTemplate, setText } from "../shared/dom.js";
import { hue } from "../shared/palette.js";
import { ProbabilityBars } from "./probability-bars.js";

const EXPIRY_MS = 2000;
const UNCERTAIN = "uncertain"; // no emotion, so it has no colour

export class FaceCards {
  /** @param {HTMLElement} list @param {HTMLElement} placeholder shown while there is no face */
  constructor(list, placeholder) {
    this.list = list;
    this.placeholder = placeholder;
    this.cards = new Map();
  }

  /** Show a reading on the card of its face. */
  show(reading) {
    if (!reading.emotion) return;
    const key = `${reading.epoch}/${reading.track}`;
    let card = this.cards.get(key);
    if (!card) {
      card = new FaceCard(`face ${reading.track}`, reading.track);
      this.cards.set(key, card);
      const following = [...this.cards.values()].filter((other) => other.order > card.order);
      this.list.insertBefore(card.root, following.sort((a, b) => a.order - b.order)[0]?.root ?? null);
    }
    card.show(reading);
    card.updated = performance.now();
    this.placeholder.hidden = true;
  }

  /** Set the text that is shown while there is no card. */
  setPlaceholder(text) {
    if (this.placeholder.textContent !== text) this.placeholder.textContent = text;
  }

  clear() {
    this.cards.forEach((card) => card.root.remove());
    this.cards.clear();
    this.placeholder.hidden = false;
  }

  /** Remove the cards of faces without a recent reading. */
  removeExpired() {
    const oldest = performance.now() - EXPIRY_MS;
    for (const [key, card] of this.cards) {
      if (card.updated < oldest) {
        card.root.remove();
        this.cards.delete(key);
      }
    }
    this.placeholder.hidden = this.cards.size > 0;
  }
}

export class FaceCard {
  /** @param {string} name @param {number} order its position among the cards */
  constructor(name, order) {
    Object.assign(this, cloneTemplate("face"));
    this.order = order;
    this.track.textContent = name;
    this.probabilities = new ProbabilityBars(this.bars);
  }

  /** @param {{emotion, between, confidence, probabilities, flaws}} result a reading or a prediction */
  show(result) {
    this.root.className = result.emotion === UNCERTAIN ? "face" : `face hue-${hue(result.emotion)}`;
    setText(this.emotion, result.emotion);
    setText(this.confidence, `${result.confidence.toFixed(0)}%`);
    setText(this.between, result.between.length ? `${result.between.join(" or ")}?` : "");
    setText(this.flaws, result.flaws.length ? `Low quality: ${result.flaws.join(", ")}` : "");
    this.probabilities.show(result.probabilities, [result.emotion, ...result.between]);
  }
}

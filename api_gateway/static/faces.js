// A card for each face in view: emotion, confidence, and a bar for each probability.

import { hue } from "./palette.js";

const FORGOTTEN_MS = 2000;
const UNCERTAIN = "uncertain"; // no emotion: it has no colour of its own

export class Faces {
  /** @param {HTMLElement} list @param {HTMLElement} empty shown while there is no face */
  constructor(list, empty) {
    this.list = list;
    this.empty = empty;
    this.cards = new Map();
    setInterval(() => this.forget(), 250);
  }

  /** Show a reading of the chosen source. */
  show(reading) {
    if (!reading.emotion) return;
    const key = `${reading.epoch}/${reading.track}`;
    let card = this.cards.get(key);
    if (!card) {
      card = new Card(reading);
      this.cards.set(key, card);
      const behind = [...this.cards.values()].filter((other) => other.track > reading.track);
      this.list.insertBefore(card.element, behind.sort((a, b) => a.track - b.track)[0]?.element ?? null);
    }
    card.show(reading);
    this.empty.hidden = true;
  }

  clear() {
    this.cards.forEach((card) => card.element.remove());
    this.cards.clear();
    this.empty.hidden = false;
  }

  forget() {
    const oldest = performance.now() - FORGOTTEN_MS;
    for (const [key, card] of this.cards) {
      if (card.shown < oldest) {
        card.element.remove();
        this.cards.delete(key);
      }
    }
    this.empty.hidden = this.cards.size > 0;
  }
}

class Card {
  constructor(reading) {
    this.track = reading.track;
    this.element = make("li", "face");
    const head = make("div", "face-head");
    this.emotion = make("span", "face-emotion");
    this.confidence = make("span", "face-confidence");
    const track = make("span", "face-track");
    track.textContent = `face ${reading.track}`;
    head.append(this.emotion, this.confidence, track);
    this.between = make("p", "face-between");
    this.flaws = make("p", "face-flaws");
    this.bars = make("ul", "bars");
    this.rows = new Map();
    this.element.append(head, this.between, this.bars, this.flaws);
  }

  show(reading) {
    this.shown = performance.now();
    this.element.className = reading.emotion === UNCERTAIN ? "face" : `face hue-${hue(reading.emotion)}`;
    this.emotion.textContent = reading.emotion;
    this.confidence.textContent = `${reading.confidence.toFixed(0)}%`;
    this.write(this.between, reading.between.length ? `${reading.between.join(" or ")}?` : "");
    this.write(this.flaws, reading.flaws.length ? `Hard to judge: ${reading.flaws.join(", ")}` : "");
    for (const [emotion, probability] of Object.entries(reading.probabilities)) {
      if (!this.rows.has(emotion)) this.addRow(emotion);
      this.rows.get(emotion)(probability, emotion === reading.emotion || reading.between.includes(emotion));
    }
  }

  write(line, words) {
    if (line.textContent !== words) line.textContent = words;
    line.hidden = !words;
  }

  addRow(emotion) {
    const row = make("li", `bar-row hue-${hue(emotion)}`);
    const name = make("span", "bar-name");
    name.textContent = emotion;
    const meter = make("div", "meter");
    meter.setAttribute("role", "meter");
    meter.setAttribute("aria-label", emotion);
    meter.setAttribute("aria-valuemin", "0");
    meter.setAttribute("aria-valuemax", "100");
    const fill = make("div", "meter-fill");
    meter.append(fill);
    const value = make("span", "bar-value");
    value.setAttribute("aria-hidden", "true");
    row.append(name, meter, value);
    this.bars.append(row);
    this.rows.set(emotion, (probability, strongest) => {
      const percent = Math.round(probability * 100);
      row.dataset.strongest = String(strongest);
      fill.style.transform = `translateX(${(probability - 1) * 100}%)`;
      meter.setAttribute("aria-valuenow", String(percent));
      value.textContent = `${percent}%`;
    });
  }
}

function make(tag, className) {
  const element = document.createElement(tag);
  element.className = className;
  return element;
}

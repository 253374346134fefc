// Which source is shown, and how it is. Uploads and jobs have no picture to watch.

export class Sources {
  /**
   * @param {{picker: HTMLElement, select: HTMLSelectElement, line: HTMLElement, screen: HTMLElement}} places
   * @param {Function} onChoice called with a source's name when another one is to be shown
   */
  constructor({ picker, select, line, screen }, onChoice) {
    this.picker = picker;
    this.select = select;
    this.stateLine = line;
    this.screen = screen;
    this.onChoice = onChoice;
    this.states = new Map();
    this.chosen = null;
    this.picked = false; // by hand, so that no default replaces it
    select.addEventListener("change", () => {
      this.picked = true;
      this.choose(select.value);
    });
  }

  /** Take over all sources, as the hello lists them. */
  replace(states) {
    this.states.clear();
    states.forEach((state) => this.remember(state));
    const [first] = this.states.keys();
    if (first && !this.picked) this.choose(first); // what was shown before may be captured no more
    this.settle();
  }

  /** One source has another state now. */
  update(state) {
    this.remember(state);
    this.settle();
  }

  /** One source is no more. */
  remove(name) {
    this.states.delete(name);
    if (name === this.chosen) this.picked = false;
    this.settle();
  }

  /** The state of the chosen source; undefined while there is none. */
  get current() {
    return this.states.get(this.chosen);
  }

  remember(state) {
    if (state.source_kind === "camera") this.states.set(state.source, state);
  }

  settle() {
    const names = [...this.states.keys()];
    if (names.join() !== [...this.select.options].map((option) => option.value).join()) {
      this.select.replaceChildren(...names.map((name) => new Option(name, name)));
    }
    this.picker.hidden = names.length < 2;
    if (!this.states.has(this.chosen) && names.length) return this.choose(names[0]);
    if (this.chosen) this.select.value = this.chosen;
    const state = this.current;
    if (state?.width) this.screen.style.aspectRatio = `${state.width} / ${state.height}`;
    this.stateLine.textContent = !state
      ? "no source yet"
      : [state.source, state.state.toLowerCase(), state.state === "ONLINE" ? "" : state.reason].filter(Boolean).join(" · ");
  }

  choose(name) {
    if (name === this.chosen) return;
    this.chosen = name;
    this.onChoice(name);
    this.settle();
  }
}

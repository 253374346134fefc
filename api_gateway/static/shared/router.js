// One section of the page at a time; which one is in the address, so that it can be linked and gone back to.

export class Router {
  /** @param {HTMLElement[]} sections with ids `view-NAME` @param {HTMLAnchorElement[]} links to `#NAME` */
  constructor(sections, links) {
    this.sections = sections;
    this.links = links;
    this.entering = new Map();
    addEventListener("hashchange", () => this.show(true));
  }

  /** Call `enter` whenever the section is shown, and `leave` when another one is. */
  when(name, enter, leave = () => {}) {
    this.entering.set(name, { enter, leave });
  }

  /** Show the section that the address names; the first one if it names none. */
  show(moved = false) {
    const asked = location.hash.slice(1).split("/")[0];
    const section = this.sections.find((one) => one.id === `view-${asked}`) ?? this.sections[0];
    const name = section.id.slice("view-".length);
    if (name === this.current) return;
    this.entering.get(this.current)?.leave();
    this.current = name;
    this.sections.forEach((one) => { one.hidden = one !== section; });
    this.links.forEach((link) => {
      if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    });
    const title = section.querySelector("h2");
    document.title = `${title.textContent} · Emotii`;
    if (moved) {
      title.focus({ preventScroll: true }); // a screen reader says where it is
      scrollTo(0, 0);
    }
    this.entering.get(name)?.enter();
  }
}

// Shows one section of the page at a time. The fragment of the URL names it, so that links and the back button work.

export class Router {
  /** @param {HTMLElement[]} sections with ids `view-NAME` @param {HTMLAnchorElement[]} links to `#NAME` */
  constructor(sections, links) {
    this.sections = sections;
    this.links = links;
    this.listeners = new Map();
    addEventListener("hashchange", () => this.navigate(true));
  }

  /** Call `onShow` whenever the section is shown, and `onHide` when another section replaces it. */
  register(name, onShow, onHide = () => {}) {
    this.listeners.set(name, { onShow, onHide });
  }

  /** Show the section that the URL names, or the first section; after a navigation, focus its heading. */
  navigate(moveFocus = false) {
    const requested = location.hash.slice(1).split("/")[0];
    const section = this.sections.find((one) => one.id === `view-${requested}`) ?? this.sections[0];
    const name = section.id.slice("view-".length);
    if (name === this.current) return;
    this.listeners.get(this.current)?.onHide();
    this.current = name;
    this.sections.forEach((one) => { one.hidden = one !== section; });
    this.links.forEach((link) => {
      if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    });
    const title = section.querySelector("h2");
    document.title = `${title.textContent} · Emotii`;
    if (moveFocus) {
      title.focus({ preventScroll: true }); // screen readers announce the new section
      scrollTo(0, 0);
    }
    this.listeners.get(name)?.onShow();
  }
}

// The live video. A browser does not always tell when an endless picture ends, so it is also started anew from outside.

const AGAIN_MS = 2000;

export class Video {
  constructor(image) {
    this.image = image;
    this.count = 0;
    this.source = null;
    image.addEventListener("error", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.restart(), AGAIN_MS);
    });
  }

  show(source) {
    this.source = source;
    this.restart();
  }

  restart() {
    clearTimeout(this.timer);
    this.count += 1; // another address, or the browser would show what it has
    const source = this.source ? `source=${encodeURIComponent(this.source)}&` : "";
    this.image.src = `/video_feed?${source}n=${this.count}`;
  }
}

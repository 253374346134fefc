// What was recorded of a source just before the page was opened, so that its timeline need not begin empty.

import { address, ask } from "../shared/api.js";
import { now } from "../shared/clock.js";
import { KEPT_MS } from "./track.js";

const PAGE = 1000;
const MOST_PAGES = 4; // two readings a second of several faces

/** Give a tile's timeline what the history has; without a history it begins empty. */
export async function recall(tile) {
  const asked = { source: tile.source, from: Math.round(now() - KEPT_MS), limit: PAGE };
  try {
    const [readings, episodes] = await Promise.all([all("/api/v1/readings", asked), all("/api/v1/episodes", asked)]);
    tile.timeline.recall(readings.sort((a, b) => a.captured_ms - b.captured_ms), episodes);
  } catch (error) {
    console.info(`no timeline from before: ${error.message}`);
  }
}

async function all(path, asked) {
  const items = [];
  let after = null;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const answer = await ask(address(path, { ...asked, after }));
    items.push(...answer.items);
    after = answer.next;
    if (!after) break;
  }
  return items;
}

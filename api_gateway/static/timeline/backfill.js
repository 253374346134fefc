// Loads the stored history of a source into its timeline when the page is opened.

import { request, withQuery } from "../shared/api.js";
import { now } from "../shared/clock.js";
import { HISTORY_MS } from "./track.js";

const PAGE_SIZE = 1000;
const MAX_PAGES = 4; // enough for two readings a second of several faces

/** Fill a timeline from the history API. Without a history the timeline starts empty. */
export async function backfill(timeline, source) {
  const query = { source, from: Math.round(now() - HISTORY_MS), limit: PAGE_SIZE };
  try {
    const [readings, episodes] = await Promise.all([
      fetchAll("/api/v1/readings", query), fetchAll("/api/v1/episodes", query),
    ]);
    timeline.addHistory(readings.sort((a, b) => a.captured_ms - b.captured_ms), episodes);
  } catch (error) {
    console.info(`The timeline starts empty: ${error.message}`);
  }
}

async function fetchAll(path, query) {
  const items = [];
  let after = null;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const response = await request(withQuery(path, { ...query, after }));
    items.push(...response.items);
    after = response.next;
    if (!after) break;
  }
  return items;
}

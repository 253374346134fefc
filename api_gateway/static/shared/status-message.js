// A line of a section that says how something went.

import { write } from "./dom.js";

/** Do something, and say what went wrong; what it gives, or undefined. */
export async function saying(line, doing) {
  try {
    const given = await doing();
    say(line, "");
    return given;
  } catch (error) {
    say(line, error.message, true);
    return undefined;
  }
}

/** Say it; an empty word takes the line away. */
export function say(line, words, bad = false) {
  line.toggleAttribute("data-bad", bad);
  write(line, words);
}

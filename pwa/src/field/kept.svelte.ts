/** A word that something was kept by one tap, for a moment. */

/** Long enough to be read in passing. */
const SHOWN_MS = 3_000;

class Kept {
  /** What was kept, in the words of its button; null when nothing is said. */
  words = $state<string | null>(null);
  #end: ReturnType<typeof setTimeout> | undefined;

  say(words: string): void {
    clearTimeout(this.#end);
    this.words = words;
    this.#end = setTimeout(() => (this.words = null), SHOWN_MS);
  }
}

export const kept = new Kept();

/**
 * A scanner on a cable types into whatever field has the focus, and a count is soon a barcode: no count
 * has so many digits.
 */

/** Barcodes have at least so many; of a code less than that cannot be told from a count. */
const SHORTEST = 6;

/** The keys of a scanner follow one another within so long: what comes before was typed by somebody. */
const PAUSE_MS = 100;

/** A field for numbers, as far as a scanner has to do with it. */
interface Field extends EventTarget {
  type: string;
  value: string;
  blur(): void;
}

type Key = Pick<Event, 'target' | 'timeStamp' | 'preventDefault'> & { key: string };

export class Burst {
  #field: Field | null = null;
  #before = '';
  #keys = '';
  #at = 0;

  /** Return the code that a key ends which went into a field for numbers, and give the field back what it had. */
  ended(event: Key): string | null {
    const { target: field, key, timeStamp } = event;
    if (!isForNumbers(field)) return null;
    if (field !== this.#field || timeStamp - this.#at > PAUSE_MS) {
      [this.#field, this.#before, this.#keys] = [field, field.value, ''];
    }
    this.#at = timeStamp;
    if (key.length === 1) this.#keys += key;
    if (key !== 'Enter') return null;
    const code = this.#keys;
    this.#keys = '';
    // Who has typed a number is done with it: the next scan goes where scans go.
    field.blur();
    if (code.length < SHORTEST) return null;
    event.preventDefault();
    field.value = this.#before;
    for (const name of ['input', 'change']) field.dispatchEvent(new Event(name, { bubbles: true }));
    return code;
  }
}

function isForNumbers(target: EventTarget | null): target is Field {
  return target !== null && 'type' in target && target.type === 'number' && 'value' in target;
}

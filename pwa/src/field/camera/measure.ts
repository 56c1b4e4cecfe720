/**
 * Whether a photo shows enough: how sharp it is and how light, as the server measures it.
 *
 * The phone only warns: a proof that is all there is counts more than none. The limits are those of
 * `modules/tms/rules/proofs.py`, the measure is that of `core/picture_measure.py`.
 */

/** Longest side in pixels at which sharpness and light are measured. */
export const MEASURED_AT = 640;

const TILES = 4;
const STEADY = 25;
const SHARPNESS_MIN = 0.3;
const MEAN_MIN = 40;
const P95_MIN = 60;

export type Flaw = 'dark' | 'blurred';

/** Name what is wrong with a picture of RGBA pixels, or null. */
export function flaw(rgba: Uint8ClampedArray, width: number, height: number): Flaw | null {
  const grey = toGrey(rgba, width * height);
  const { mean, p95 } = light(grey);
  if (mean < MEAN_MIN || p95 < P95_MIN) return 'dark';
  return sharpness(grey, width, height) < SHARPNESS_MIN ? 'blurred' : null;
}

/** Give the 80th percentile over 4 x 4 tiles of the Laplacian's variance over the contrast. */
export function sharpness(grey: Uint8Array, width: number, height: number): number {
  if (Math.min(width, height) < 3 * TILES) return 0;
  const scores: number[] = [];
  for (let row = 0; row < TILES; row += 1) {
    for (let column = 0; column < TILES; column += 1) {
      const top = 1 + Math.floor((row * (height - 2)) / TILES);
      const bottom = 1 + Math.floor(((row + 1) * (height - 2)) / TILES);
      const left = 1 + Math.floor((column * (width - 2)) / TILES);
      const right = 1 + Math.floor(((column + 1) * (width - 2)) / TILES);
      scores.push(tile(grey, width, { top, bottom, left, right }));
    }
  }
  scores.sort((a, b) => a - b);
  return scores[Math.floor(0.8 * (scores.length - 1))] ?? 0;
}

interface Box {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

function tile(grey: Uint8Array, width: number, box: Box): number {
  const [edges, shades] = [new Spread(), new Spread()];
  for (let y = box.top; y < box.bottom; y += 1) {
    for (let x = box.left; x < box.right; x += 1) {
      const at = y * width + x;
      const here = grey[at] as number;
      const around =
        (grey[at - 1] as number) +
        (grey[at + 1] as number) +
        (grey[at - width] as number) +
        (grey[at + width] as number);
      edges.add(around - 4 * here);
      shades.add(here);
    }
  }
  return edges.variance() / (shades.variance() + STEADY);
}

class Spread {
  #n = 0;
  #sum = 0;
  #squares = 0;

  add(value: number): void {
    this.#n += 1;
    this.#sum += value;
    this.#squares += value * value;
  }

  variance(): number {
    return this.#n === 0 ? 0 : this.#squares / this.#n - (this.#sum / this.#n) ** 2;
  }
}

function toGrey(rgba: Uint8ClampedArray, pixels: number): Uint8Array {
  const grey = new Uint8Array(pixels);
  for (let n = 0; n < pixels; n += 1) {
    const at = n * 4;
    // ITU-R 601-2, as Pillow's "L".
    grey[n] =
      ((rgba[at] as number) * 299 +
        (rgba[at + 1] as number) * 587 +
        (rgba[at + 2] as number) * 114) /
      1_000;
  }
  return grey;
}

function light(grey: Uint8Array): { mean: number; p95: number } {
  const histogram = new Uint32Array(256);
  let sum = 0;
  for (const shade of grey) {
    histogram[shade] = (histogram[shade] as number) + 1;
    sum += shade;
  }
  let left = 0.95 * grey.length;
  for (const [level, count] of histogram.entries()) {
    left -= count;
    if (left <= 0) return { mean: sum / grey.length, p95: level };
  }
  return { mean: sum / grey.length, p95: 255 };
}

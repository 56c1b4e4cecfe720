import { expect, test } from 'vitest';

import { flaw, sharpness } from '../../src/field/camera/measure';

const SIDE = 160;

/** Paint a grey picture point by point. */
function picture(shade: (x: number, y: number) => number): Uint8ClampedArray {
  const rgba = new Uint8ClampedArray(SIDE * SIDE * 4);
  for (let y = 0; y < SIDE; y += 1) {
    for (let x = 0; x < SIDE; x += 1) {
      rgba.fill(shade(x, y), (y * SIDE + x) * 4, (y * SIDE + x) * 4 + 3);
      rgba[(y * SIDE + x) * 4 + 3] = 255;
    }
  }
  return rgba;
}

const stripes = picture((x) => (Math.floor(x / 4) % 2 === 0 ? 60 : 200));
const waves = picture((x) => 130 + 70 * Math.sin(x / 25));

test('edges are sharp, a slow change of shade is blurred', () => {
  expect(flaw(stripes, SIDE, SIDE)).toBeNull();
  expect(flaw(waves, SIDE, SIDE)).toBe('blurred');
});

test('what is too dark to see is called dark, however sharp it is', () => {
  const night = picture((x) => (Math.floor(x / 4) % 2 === 0 ? 0 : 45));
  expect(flaw(night, SIDE, SIDE)).toBe('dark');
});

test('a picture without any size has no sharpness', () => {
  expect(sharpness(new Uint8Array(100), 10, 10)).toBe(0);
});

/** Makes of a photo what is sent: upright, small enough, with a preview; away from the screen's thread. */

import { hex } from '../../shared/sync/canonical';
import { flaw, MEASURED_AT, type Flaw } from './measure';

/** Longest side of the photo that is kept, and of its preview, in pixels. */
const PHOTO_SIDE = 1_600;
const PREVIEW_SIDE = 320;

const PHOTO_QUALITY = 0.8;
const PREVIEW_QUALITY = 0.6;

/** What is to be shrunk, by a number that comes back with it. */
export interface Wanted {
  n: number;
  file: Blob;
}

export interface Packed {
  sha256: string;
  mime: string;
  bytes: ArrayBuffer;
}

/** A photo as it is kept. A file that is no picture here is kept as it is, without a preview. */
export interface Shrunk {
  n: number;
  photo: Packed;
  preview: Packed | null;
  flaw: Flaw | null;
}

/** What of a worker's world is used; its types cannot stand beside those of a page. */
const scope = globalThis as unknown as {
  addEventListener(type: 'message', heard: (event: MessageEvent<Wanted>) => void): void;
  postMessage(message: Shrunk, transfer: ArrayBuffer[]): void;
};

let turn: Promise<void> = Promise.resolve();

scope.addEventListener('message', ({ data }) => {
  // One at a time: a phone with 1 GB has no room for two open photos.
  turn = turn.then(async () => {
    const made = await shrink(data.file);
    const bytes = [made.photo.bytes, ...(made.preview === null ? [] : [made.preview.bytes])];
    scope.postMessage({ n: data.n, ...made }, bytes);
  });
});

async function shrink(file: Blob): Promise<Omit<Shrunk, 'n'>> {
  const bitmap = await open(file);
  if (bitmap === null) return { photo: await pack(file), preview: null, flaw: null };
  try {
    const photo = await pack(await jpeg(draw(bitmap, PHOTO_SIDE), PHOTO_QUALITY));
    const preview = await pack(await jpeg(draw(bitmap, PREVIEW_SIDE), PREVIEW_QUALITY));
    return { photo, preview, flaw: look(draw(bitmap, MEASURED_AT)) };
  } finally {
    bitmap.close();
  }
}

/** Decode a photo the right way up; null for what this browser cannot read. */
async function open(file: Blob): Promise<ImageBitmap | null> {
  try {
    return await createImageBitmap(file, { imageOrientation: 'from-image' });
  } catch {
    // The bytes are evidence all the same: the server looks at them.
    return null;
  }
}

function draw(bitmap: ImageBitmap, side: number): OffscreenCanvas {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [Math.round(bitmap.width * scale), Math.round(bitmap.height * scale)];
  const canvas = new OffscreenCanvas(Math.max(1, width), Math.max(1, height));
  const context = canvas.getContext('2d');
  if (context !== null) {
    context.imageSmoothingQuality = 'high';
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  }
  return canvas;
}

function jpeg(canvas: OffscreenCanvas, quality: number): Promise<Blob> {
  return canvas.convertToBlob({ type: 'image/jpeg', quality });
}

function look(canvas: OffscreenCanvas): Flaw | null {
  const { width, height } = canvas;
  const pixels = canvas.getContext('2d')?.getImageData(0, 0, width, height);
  return pixels === undefined ? null : flaw(pixels.data, width, height);
}

async function pack(blob: Blob): Promise<Packed> {
  const bytes = await blob.arrayBuffer();
  const sha256 = hex(await crypto.subtle.digest('SHA-256', bytes));
  return { sha256, mime: blob.type || 'application/octet-stream', bytes };
}

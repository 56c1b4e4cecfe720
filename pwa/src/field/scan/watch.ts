/**
 * Reads codes off the camera for as long as it is watched.
 *
 * Chrome on Android brings a reader of its own; elsewhere it is zxing in WebAssembly, from our own
 * files, so that it works without a signal.
 */

import { BarcodeDetector, prepareZXingModule } from 'barcode-detector/ponyfill';
import wasm from 'zxing-wasm/reader/zxing_reader.wasm?url';

const FORMATS = ['code_128', 'qr_code', 'ean_13', 'ean_8', 'code_39', 'data_matrix'] as const;

/** The same code is heard again only after it was out of sight for so long. */
const AGAIN_MS = 2_500;

const PAUSE_MS = 120;

export interface Watching {
  stop(): void;
}

interface Reader {
  detect(image: CanvasImageSource): Promise<{ rawValue: string }[]>;
}

/** Show the camera and hear the codes it sees. Rejects where there is none, or it is not allowed. */
export async function start(
  video: HTMLVideoElement,
  heard: (code: string) => void,
): Promise<Watching> {
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: 'environment', width: { ideal: 1_280 }, height: { ideal: 720 } },
  });
  const end = (): void => stream.getTracks().forEach((track) => track.stop());
  try {
    video.srcObject = stream;
    await video.play();
    const reader = await open();
    let running = true;
    void watch(video, reader, heard, () => running);
    return {
      stop: () => {
        running = false;
        end();
        video.srcObject = null;
      },
    };
  } catch (failure) {
    end();
    throw failure;
  }
}

async function watch(
  video: HTMLVideoElement,
  reader: Reader,
  heard: (code: string) => void,
  running: () => boolean,
): Promise<void> {
  const seen = new Map<string, number>();
  while (running()) {
    // A frame that cannot be read is followed by another.
    const found = await reader.detect(video).catch(() => []);
    const now = performance.now();
    for (const { rawValue } of found) {
      const before = seen.get(rawValue) ?? -AGAIN_MS;
      seen.set(rawValue, now);
      if (running() && now - before >= AGAIN_MS) heard(rawValue);
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

async function open(): Promise<Reader> {
  const own = (globalThis as { BarcodeDetector?: typeof BarcodeDetector }).BarcodeDetector;
  const known = (await own?.getSupportedFormats?.().catch(() => [])) ?? [];
  if (own !== undefined && FORMATS.every((format) => known.includes(format))) {
    return new own({ formats: [...FORMATS] });
  }
  prepareZXingModule({ overrides: { locateFile: () => wasm } });
  return new BarcodeDetector({ formats: [...FORMATS] });
}

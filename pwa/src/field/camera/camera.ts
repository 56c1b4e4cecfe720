/** Hands photos to the worker that shrinks them, and gives them back as they are kept. */

import { trusted } from '../trusted';
import type { Shrunk, Wanted } from './shrink.worker';
import address from './shrink.worker?worker&url';

let worker: Worker | null = null;
let last = 0;

/** Make of a file what is kept. Rejects only where the worker itself dies; the file is still there. */
export function shrink(file: Blob): Promise<Shrunk> {
  const here = (worker ??= new Worker(trusted(address), { type: 'module' }));
  last += 1;
  const wanted: Wanted = { n: last, file };
  return new Promise((resolve, reject) => {
    const end = (): void => {
      here.removeEventListener('message', answered);
      here.removeEventListener('error', died);
    };
    const answered = ({ data }: MessageEvent<Shrunk>): void => {
      if (data.n !== wanted.n) return;
      end();
      resolve(data);
    };
    const died = (event: ErrorEvent): void => {
      end();
      // What ran out of memory is not asked again: the next photo gets a new one.
      here.terminate();
      if (worker === here) worker = null;
      reject(new Error(event.message));
    };
    here.addEventListener('message', answered);
    here.addEventListener('error', died);
    here.postMessage(wanted);
  });
}

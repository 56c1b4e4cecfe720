/** Where the second copy lies: a storage bucket, which has files of its own. Only Chromium has them. */

import { Copy } from '../sync/copy';
import { Database } from '../sync/database';

const NAME = 'doorstep-copy';

/** https://wicg.github.io/storage-buckets/ */
interface Buckets {
  keys(): Promise<string[]>;
  open(name: string, options: { persisted: boolean }): Promise<{ indexedDB: IDBFactory }>;
  delete(name: string): Promise<void>;
}

/**
 * Open the copy; null where the browser has no buckets, or the phone not room enough for two.
 *
 * Whoever writes without it says so, and then nobody has one: it would lack what was written.
 */
export async function openCopy(): Promise<Copy | null> {
  const { storageBuckets: buckets } = navigator as { storageBuckets?: Buckets };
  if (buckets === undefined) return null;
  const forget = async (): Promise<void> => {
    await doWithout();
    await buckets.delete(NAME);
  };
  try {
    // Made only where what it will take leaves half of the room to the first one.
    if ((await buckets.keys()).includes(NAME) || (await isRoomy())) {
      const { indexedDB } = await buckets.open(NAME, { persisted: true });
      // Looked at last: whoever did without it before that has deleted this one too.
      if (!(await someDoWithout())) return new Copy(new Database(indexedDB), forget);
    }
  } catch {
    // A browser that does not give one here.
  }
  await forget().catch(() => undefined);
  return null;
}

/** Say, for as long as this page lives, that it tells no copy what it writes. */
function doWithout(): Promise<void> {
  return new Promise((said, failed) => {
    const forEver = (): Promise<void> => {
      said();
      return new Promise(() => undefined);
    };
    navigator.locks.request(NAME, { mode: 'shared' }, forEver).catch(failed);
  });
}

async function someDoWithout(): Promise<boolean> {
  const { held = [] } = await navigator.locks.query();
  return held.some(({ name }) => name === NAME);
}

/** Tell whether no more than a quarter is taken; a browser that hides how much there is finds out later. */
async function isRoomy(): Promise<boolean> {
  const { usage = 0, quota = 0 } = await navigator.storage.estimate();
  return usage * 4 <= quota;
}

/** A new version takes over when it is told, never under what is not saved, and reloads once. */

import { expect, test } from 'vitest';

import { CLAIM, TAKE_OVER } from '../../src/shared/browser/between';
import {
  holdUnsaved,
  RELOAD_GUARD_MS,
  UNSAVED_LOCK,
  Updates,
  type UpdatePorts,
} from '../../src/field/updates';
import { SYNC_LOCK } from '../../src/shared/sync/lock';

class FakeWorker extends EventTarget {
  said: unknown[] = [];
  constructor(public state: ServiceWorkerState) {
    super();
  }
  postMessage(word: unknown): void {
    this.said.push(word);
    this.become('activated');
  }
  become(state: ServiceWorkerState): void {
    this.state = state;
    this.dispatchEvent(new Event('statechange'));
  }
}

class FakeRegistration extends EventTarget {
  installing: FakeWorker | null = null;
  waiting: FakeWorker | null = null;
  looked = 0;
  async update(): Promise<void> {
    this.looked += 1;
    throw new TypeError('There is no network.');
  }
}

class FakeContainer extends EventTarget {
  controller: unknown = {};
  active = new FakeWorker('activated');
  ready = Promise.resolve({ active: this.active });
  registration = new FakeRegistration();
  async register(): Promise<FakeRegistration> {
    return this.registration;
  }
}

function page(container: FakeContainer) {
  const kept = new Map<string, string>();
  const told = { now: 1_000_000, reloads: 0, ready: 0 };
  const ports = {
    container: container as unknown as UpdatePorts['container'],
    locks: navigator.locks,
    storage: {
      getItem: (name: string) => kept.get(name) ?? null,
      setItem: (name: string, value: string) => void kept.set(name, value),
    },
    now: () => told.now,
    reload: () => void (told.reloads += 1),
    ready: () => void (told.ready += 1),
  };
  return { told, updates: new Updates(ports), again: () => new Updates(ports) };
}

async function waiting(): Promise<{ container: FakeContainer; worker: FakeWorker }> {
  const container = new FakeContainer();
  const worker = new FakeWorker('installed');
  return { container, worker };
}

test('what waits at a cold start takes over at once', async () => {
  const { container, worker } = await waiting();
  container.registration.waiting = worker;
  const { told, updates } = page(container);
  await updates.start('sw.js', './');
  expect(worker.said).toEqual([{ type: TAKE_OVER }]);
  expect(told.ready).toBe(0);
});

test('a version that comes later is announced and waits for a yes', async () => {
  const { container, worker } = await waiting();
  const { told, updates } = page(container);
  await updates.start('sw.js', './');
  container.registration.installing = worker;
  container.registration.dispatchEvent(new Event('updatefound'));
  worker.become('installed');
  expect([told.ready, worker.said]).toEqual([1, []]);
  expect(await updates.apply()).toBe('current');
  container.registration.waiting = worker;
  expect(await updates.apply()).toBe('applied');
});

test('the first worker of all is no update', async () => {
  const { container, worker } = await waiting();
  container.controller = null;
  const { told, updates } = page(container);
  container.registration.installing = worker;
  await updates.start('sw.js', './');
  worker.become('installed');
  container.dispatchEvent(new Event('controllerchange'));
  expect([told.ready, told.reloads]).toEqual([0, 0]);
});

test('a page that the first worker has passed by asks to be taken over', async () => {
  const container = new FakeContainer();
  await page(container).updates.start('sw.js', './');
  await container.ready;
  expect(container.active.said).toEqual([]);
  container.controller = null;
  await page(container).updates.start('sw.js', './');
  await container.ready;
  expect(container.active.said).toEqual([{ type: CLAIM }]);
});

test('a worker that has nobody in hand, and is not new, is looked past at once', async () => {
  const container = new FakeContainer();
  await page(container).updates.start('sw.js', './');
  expect(container.registration.looked).toBe(0);
  container.controller = null;
  await page(container).updates.start('sw.js', './');
  expect(container.registration.looked).toBe(1);
});

test('nothing takes over while a form of any page is not saved, or while something is sent', async () => {
  const { container, worker } = await waiting();
  const { updates } = page(container);
  await updates.start('sw.js', './');
  container.registration.waiting = worker;
  const saved = holdUnsaved(navigator.locks);
  const alsoSaved = holdUnsaved(navigator.locks);
  await navigator.locks.query();
  saved();
  expect(await updates.apply()).toBe('unsaved');
  alsoSaved();
  await navigator.locks.request(UNSAVED_LOCK, async () => undefined);
  await navigator.locks.request(SYNC_LOCK, async () => {
    expect(await updates.apply()).toBe('sending');
  });
  expect(worker.said).toEqual([]);
  expect(await updates.apply()).toBe('applied');
});

test('a page loads anew once, and not in a circle', async () => {
  const { container } = await waiting();
  const { told, updates } = page(container);
  await updates.start('sw.js', './');
  for (const [after, reloads] of [
    [0, 1],
    [RELOAD_GUARD_MS - 1, 1],
    [RELOAD_GUARD_MS, 2],
  ] as const) {
    told.now = 1_000_000 + after;
    container.dispatchEvent(new Event('controllerchange'));
    expect(told.reloads).toBe(reloads);
  }
});

test('a page that has just been loaded anew asks before the next version, and then takes it', async () => {
  const { container, worker } = await waiting();
  const { told, updates, again } = page(container);
  await updates.start('sw.js', './');
  container.dispatchEvent(new Event('controllerchange'));
  container.registration.waiting = worker;
  const anew = again();
  await anew.start('sw.js', './');
  expect([told.reloads, told.ready, worker.said]).toEqual([1, 1, []]);
  expect(await anew.apply()).toBe('applied');
  container.dispatchEvent(new Event('controllerchange'));
  expect(told.reloads).toBe(2);
});

test('to look without a signal is no error', async () => {
  const { container } = await waiting();
  const { updates } = page(container);
  await updates.check();
  await updates.start('sw.js', './');
  await updates.check();
});

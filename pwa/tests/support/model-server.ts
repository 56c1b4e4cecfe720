/**
 * A server that follows the wire, as small as it can be, and notices what a phone does wrong.
 *
 * `wrongs` names every breach of the promises: a capture under two ids, an id with two contents,
 * a lane out of order, somebody else's capture, bytes that do not have their hash.
 */

import { createHash } from 'node:crypto';

import type {
  Json,
  Receipt,
  Verdict,
  WireDocument,
  WireEvent,
  WireHealth,
} from '../../src/shared/sync/wire';

interface Stored {
  text: string;
  event: WireEvent;
  receipt: Receipt;
}

interface Batch {
  events: WireEvent[];
  health: WireHealth | null;
}

interface Upload {
  length: number;
  bytes: Uint8Array;
  complete: boolean;
}

export interface Request {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string | ArrayBuffer | null;
}

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
}

export class ModelServer {
  readonly events = new Map<string, Stored>();
  readonly uploads = new Map<string, Upload>();
  readonly wrongs: string[] = [];
  /** The batches that brought something, and what came with every push. */
  readonly pushes: WireEvent[][] = [];
  readonly reports: (WireHealth | null)[] = [];
  /** Tokens that are taken, and whose they are. */
  readonly tokens = new Map<string, string>();
  receivedChunks = 0;
  /** What each person has to do now, by kind and id, and what every cursor has stood for. */
  readonly work = new Map<string, Map<string, WireDocument>>();
  readonly handedOut = new Map<string, Map<string, WireDocument>>();
  readonly pulls: (string | null)[] = [];
  /** Cursors that the server has forgotten; who comes with one gets everything. */
  readonly forgotten = new Set<string>();
  readonly #captures = new Map<string, string>();
  readonly #lanes = new Map<string, number>();

  constructor(private readonly now: () => number) {}

  handle(request: Request): Answer {
    const person = this.tokens.get(
      (request.headers['Authorization'] ?? '').slice('Bearer '.length),
    );
    if (person === undefined) return { status: 401, body: { type: 'signed-out' } };
    const path = request.url.split('?')[0] ?? '';
    if (path === '/field/sync/push') return this.#push(request, person);
    if (path === '/field/sync/receipts') return this.#receipts(request);
    if (path === '/field/sync/pull') return this.#pull(request, person);
    return this.#upload(request, `${person}/${path.slice('/uploads/'.length)}`);
  }

  uploadOf(person: string, sha256: string): Upload | undefined {
    return this.uploads.get(`${person}/${sha256}`);
  }

  /** Change a part of somebody's work; null ends it. */
  edit(person: string, kind: string, id: string, body: { [name: string]: Json } | null): void {
    const work = new Map(this.work.get(person));
    if (body === null) work.delete(`${kind}/${id}`);
    else work.set(`${kind}/${id}`, { kind, id, body });
    this.work.set(person, work);
  }

  #pull(request: Request, person: string): Answer {
    const since = new URL(request.url, 'http://model').searchParams.get('cursor');
    this.pulls.push(since);
    const now = this.work.get(person) ?? new Map<string, WireDocument>();
    const text = JSON.stringify([person, [...now].toSorted(([a], [b]) => (a < b ? -1 : 1))]);
    const cursor = createHash('sha256').update(text).digest('hex');
    const known = this.forgotten.has(since ?? '') ? undefined : this.handedOut.get(since ?? '');
    this.handedOut.set(cursor, now);
    const changed = [...now].filter(([key, document]) => {
      return JSON.stringify(known?.get(key)) !== JSON.stringify(document);
    });
    const gone = [...(known ?? [])].filter(([key]) => !now.has(key));
    const body = {
      person_id: person,
      since: known === undefined ? null : since,
      cursor,
      full: known === undefined,
      server_time: this.#time(),
      upserts: changed.map(([, document]) => document),
      tombstones: gone.map(([, { kind, id }]) => ({ kind, id })),
    };
    return { status: 200, body };
  }

  #push(request: Request, person: string): Answer {
    const text = String(request.body);
    const { events, health } = JSON.parse(text) as Batch;
    if (events.length > 0) this.pushes.push(events);
    this.reports.push(health);
    if (events.length > 100 || new TextEncoder().encode(text).length > 200_000) {
      this.wrongs.push(`a batch of ${events.length} events`);
      return { status: 413, body: { max_events: 100, max_bytes: 200_000 } };
    }
    // A fault of ours that the whole batch dies of; the phone must find the one it comes from.
    if (events.some((event) => event.payload['breaks'] === true)) return { status: 422 };
    const unreadable: { index: number; reason: string }[] = [];
    const receipts: Receipt[] = [];
    for (const [index, event] of events.entries()) {
      if (event.payload['unreadable'] === true) unreadable.push({ index, reason: 'not_json' });
      else receipts.push(this.#store(event, person));
    }
    return { status: 200, body: { server_time: this.#time(), receipts, unreadable } };
  }

  #store(event: WireEvent, person: string): Receipt {
    const text = JSON.stringify(event);
    const known = this.events.get(event.event_id);
    if (known !== undefined) {
      if (known.text !== text) this.wrongs.push(`${event.event_id} has two contents`);
      return known.receipt;
    }
    const capture = String(event.payload['capture']);
    if (this.#captures.has(capture)) this.wrongs.push(`capture ${capture} came under two ids`);
    this.#captures.set(capture, event.event_id);
    if (event.payload['person'] !== person) this.wrongs.push(`${capture} was sent by ${person}`);
    const last = this.#lanes.get(event.lane) ?? 0;
    if (event.device_seq < last) this.wrongs.push(`${capture} came after ${last} of its lane`);
    this.#lanes.set(event.lane, event.device_seq);
    const verdict = (event.payload['verdict'] ?? 'applied') as Verdict;
    const reason = verdict === 'rejected' ? 'not_possible' : null;
    const receipt = { event_id: event.event_id, verdict, reason, recorded_at: this.#time() };
    this.events.set(event.event_id, { text, event, receipt });
    return receipt;
  }

  #receipts(request: Request): Answer {
    const ids = new URL(request.url, 'http://model').searchParams.get('ids')?.split(',') ?? [];
    if (ids.length > 100) this.wrongs.push(`${ids.length} ids in one question`);
    const receipts = ids.flatMap((id) => this.events.get(id)?.receipt ?? []);
    return { status: 200, body: { server_time: this.#time(), receipts } };
  }

  #upload(request: Request, key: string): Answer {
    const upload = this.uploads.get(key) ?? { length: 0, bytes: new Uint8Array(), complete: false };
    if (request.method === 'HEAD' || upload.complete) return progress(200, upload);
    const chunk = new Uint8Array(request.body as ArrayBuffer);
    if (chunk.length > 32 * 1024) this.wrongs.push(`a chunk of ${chunk.length} bytes`);
    const offset = Number(request.headers['Upload-Offset']);
    upload.length = Number(request.headers['Upload-Length']);
    if (offset < upload.bytes.length) return progress(204, upload);
    if (offset !== upload.bytes.length) return progress(409, upload);
    this.receivedChunks += 1;
    upload.bytes = Uint8Array.from(Buffer.concat([upload.bytes, chunk]));
    this.uploads.set(key, upload);
    if (upload.bytes.length < upload.length) return progress(204, upload);
    const hash = createHash('sha256').update(upload.bytes).digest('hex');
    if (hash !== key.split('/')[1]) {
      this.uploads.delete(key);
      return { status: 422, headers: { 'Upload-Offset': '0' } };
    }
    upload.complete = true;
    return progress(204, upload);
  }

  #time(): string {
    return new Date(this.now()).toISOString();
  }
}

function progress(status: number, upload: Upload): Answer {
  return {
    status,
    headers: {
      'Upload-Offset': String(upload.bytes.length),
      'Upload-Complete': upload.complete ? '?1' : '?0',
    },
  };
}

/** Make a response as fetch gives it. */
export function toResponse({ status, headers, body }: Answer): Response {
  const bodiless = status === 204 || body === undefined;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return new Response(bodiless ? null : text, { status, headers: headers ?? {} });
}

/** Read what fetch was called with. */
export function toRequest(url: string, init: RequestInit): Request {
  return {
    method: init.method ?? 'GET',
    url,
    headers: init.headers as Record<string, string>,
    body: (init.body ?? null) as string | ArrayBuffer | null,
  };
}

/** The way to the real API: requests really go over loopback, and some break off in the middle. */

import { request as open } from 'node:http';

import type { Way } from '../support/bad-network';
import type { Answer, Request } from '../support/model-server';

const SPENT = 'Bearer a-token-that-is-over';

export class RealWay implements Way {
  /** Answers of the server that asked for a pause, or had none. */
  refusals = 0;
  /** Pictures of which half a chunk arrived. */
  cutUploads = 0;
  readonly #under_way = new Set<Promise<unknown>>();
  #over = false;

  constructor(
    private readonly base_url: string,
    readonly pass: (ms: number) => void,
  ) {}

  /** Send the next request with a token that is over, as if ten minutes had gone by. */
  endTokens(): void {
    this.#over = true;
  }

  deliver(request: Request): Promise<Answer> {
    return this.#watched(this.#deliver(request));
  }

  /** Say how long the body is, send half of it and hang up. */
  breakOff({ method, url, headers, body }: Request): Promise<void> {
    const bytes = Buffer.from(typeof body === 'string' ? body : new Uint8Array(body ?? []));
    if (bytes.length < 2) return Promise.resolve();
    if (url.startsWith('/uploads/')) this.cutUploads += 1;
    const length = { 'Content-Length': String(bytes.length) };
    return this.#watched(
      new Promise((done) => {
        const sent = open(`${this.base_url}${url}`, { method, headers: { ...headers, ...length } });
        for (const end of ['error', 'close']) sent.on(end, () => done());
        sent.write(bytes.subarray(0, bytes.length >> 1), () => sent.destroy());
      }),
    );
  }

  /** Wait until the server has answered all that dead pages have sent. */
  async settled(): Promise<void> {
    while (this.#under_way.size > 0) await Promise.allSettled(this.#under_way);
  }

  async #deliver({ method, url, headers, body }: Request): Promise<Answer> {
    const sent = { ...headers };
    if (this.#over && 'Authorization' in sent) {
      this.#over = false;
      sent['Authorization'] = SPENT;
    }
    const answer = await fetch(`${this.base_url}${url}`, { method, headers: sent, body });
    const text = await answer.text();
    if (answer.status === 429 || answer.status >= 500) this.refusals += 1;
    const given: Record<string, string> = {};
    answer.headers.forEach((value, name) => (given[name] = value));
    return { status: answer.status, headers: given, ...(text ? { body: parsed(text) } : {}) };
  }

  #watched<T>(work: Promise<T>): Promise<T> {
    const entry = work.catch(() => undefined).finally(() => this.#under_way.delete(entry));
    this.#under_way.add(entry);
    return work;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

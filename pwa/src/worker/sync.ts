/**
 * The part of the worker that sends, in a file of its own: a worker that is woken for a page that
 * loads never reads it.
 */

import { openCopy } from '../shared/browser/bucket';
import { openField, type Field } from '../shared/browser/field';
import { Exchange } from '../shared/sync/exchange';

declare const self: ServiceWorkerGlobalScope & { openSync: () => Field };

self.openSync = () => openField(APP_VERSION, Exchange, openCopy());

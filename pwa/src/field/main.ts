/** The page of the field app. */

import './app.css';

import { mount } from 'svelte';

import { OPEN, type Word } from '../shared/browser/between';
import App from './App.svelte';
import { language } from './i18n/language.svelte';
import { install } from './install.svelte';
import { phone } from './phone.svelte';
import { update } from './update.svelte';

/** A notification names a job by its lane: `stop:<id>`, `visit:<id>`, ... */
function open(lane: string | null): void {
  const [kind, id] = (lane ?? '').split(':');
  location.hash =
    kind !== undefined && kind !== '' && id !== undefined ? `#/job/${kind}/${id}` : '#/';
}

const asked = new URLSearchParams(location.search).get('lane');
if (asked !== null) {
  open(asked);
  history.replaceState(null, '', `${location.pathname}${location.hash}`);
}
navigator.serviceWorker.addEventListener('message', (event) => {
  const word = event.data as Word | null;
  if (word?.type === OPEN) open(word.lane);
});

update.start();
install.listen();
await language.start();
mount(App, { target: document.body });
await phone.start();

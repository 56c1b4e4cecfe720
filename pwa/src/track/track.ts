/**
 * Keeps an open order page up to date. The server tells the version of what is committed, and the page
 * fetches itself anew; without this script it is as complete, with a link to refresh it.
 */

const main = (): HTMLElement | null => document.getElementById('main');

/** The page's own address; where a form was refused, the address that is shown is the form's. */
const page = /^\/t\/orders\/[^/]+/.exec(location.pathname)?.[0] ?? location.pathname;

let fetching = false;
let again = false;
let stream = follow();

// A page that nobody looks at needs no stream; once it is looked at, it hears what it has missed.
document.addEventListener('visibilitychange', () => {
  stream.close();
  if (!document.hidden) stream = follow();
});

function follow(): EventSource {
  const seen = main()?.dataset['version'] ?? '';
  const opened = new EventSource(`${page}/events?seen=${encodeURIComponent(seen)}`);
  opened.addEventListener('message', renew);
  // The link opens nothing any more: the server says so best.
  opened.addEventListener('gone', () => location.replace(page));
  return opened;
}

/** Fetch the page, as a document: no text of it is ever made into markup here. */
function renew(): void {
  again = fetching;
  if (fetching) return;
  fetching = true;
  const request = new XMLHttpRequest();
  request.open('GET', page + location.search);
  request.responseType = 'document';
  request.addEventListener('loadend', () => {
    fetching = false;
    const fresh = request.responseXML?.getElementById('main');
    if (request.status === 200 && fresh) swap(fresh);
    if (again) renew();
  });
  request.send();
}

/** Put the fresh part in place of the old one; what somebody is filling in stays as it is. */
function swap(fresh: HTMLElement): void {
  const old = main();
  if (!old) return;
  const busy = [...old.querySelectorAll('form')].filter(inUse);
  const places = busy.map((form) => fresh.querySelector(`form#${form.id}`));
  if (places.includes(null)) {
    // A form that is not offered any more holds typed words: the reader decides.
    document.getElementById('news')?.removeAttribute('hidden');
    return;
  }
  const focus = document.activeElement;
  const [from, until] = selection(focus);
  for (const details of old.querySelectorAll('details')) {
    const same = fresh.querySelector(`details#${details.id}`);
    same?.toggleAttribute('open', details.open);
  }
  const taken = document.adoptNode(fresh);
  for (const [at, form] of busy.entries()) places[at]?.replaceWith(form);
  old.replaceWith(taken);
  refocus(focus, taken);
  if (from !== null && isText(focus)) focus.setSelectionRange(from, until);
}

function inUse(form: HTMLFormElement): boolean {
  if (form.contains(document.activeElement)) return true;
  return [...form.elements].some((field) =>
    isText(field)
      ? field.type !== 'hidden' && field.value !== field.defaultValue
      : field instanceof HTMLInputElement && field.checked !== field.defaultChecked,
  );
}

function isText(field: Element | null): field is HTMLTextAreaElement | HTMLInputElement {
  return (
    field instanceof HTMLTextAreaElement ||
    (field instanceof HTMLInputElement && field.type !== 'radio' && field.type !== 'checkbox')
  );
}

function selection(field: Element | null): [number | null, number | null] {
  return isText(field) && field.type !== 'hidden'
    ? [field.selectionStart, field.selectionEnd]
    : [null, null];
}

/** Give the focus back: to the very element where it was kept, else to the one in its place. */
function refocus(focus: Element | null, fresh: HTMLElement): void {
  if (!(focus instanceof HTMLElement) || focus === document.body) return;
  if (focus.isConnected) {
    focus.focus({ preventScroll: true });
    return;
  }
  const href = focus.getAttribute('href');
  const parent = focus.parentElement?.id;
  const same = href
    ? fresh.querySelector<HTMLElement>(`a[href="${CSS.escape(href)}"]`)
    : fresh.querySelector<HTMLElement>(`#${CSS.escape(parent ?? '-')} > summary`);
  same?.focus({ preventScroll: true });
}

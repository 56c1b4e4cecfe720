/** An entry of the history that was shown before has this state, and a new one has none. */
const SHOWN = { shown: true };

/** Have each screen begin at its top; on the way back it is where it was left. */
export function startAtTops(): void {
  history.replaceState(SHOWN, '');
  window.addEventListener('hashchange', () => {
    if (history.state !== null) return;
    history.replaceState(SHOWN, '');
    requestAnimationFrame(() => scrollTo(0, 0));
  });
}

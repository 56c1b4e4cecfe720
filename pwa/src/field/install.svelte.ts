/** The browser's offer to put the app on the home screen, kept until somebody wants it. */

/** What the types of the platform do not have yet. */
interface Offer extends Event {
  prompt(): Promise<unknown>;
}

class Install {
  /** Null where the browser offers nothing: it cannot, or the app is installed already. */
  offer = $state.raw<Offer | null>(null);

  /** It comes once, soon after the page has loaded. */
  listen(): void {
    window.addEventListener('beforeinstallprompt', (event) => {
      event.preventDefault();
      this.offer = event as Offer;
    });
  }

  /** Let the browser ask; what is stored may be kept for good afterwards. */
  async ask(): Promise<void> {
    const { offer } = this;
    // It can be used but once.
    this.offer = null;
    await offer?.prompt();
    await navigator.storage?.persist?.();
  }
}

export const install = new Install();

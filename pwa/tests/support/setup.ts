/** Puts the classes of IndexedDB in their places; each test brings a storage of its own. */
import 'fake-indexeddb/auto';

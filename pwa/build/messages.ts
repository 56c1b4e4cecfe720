/**
 * Compiles the texts of a language when the app is built, so that no parser of messages is shipped.
 *
 * A file `i18n/<language>.json` holds ICU messages by name; what the app loads is their compiled form.
 */

import { basename, dirname } from 'node:path';

import { compileMessage, type CompiledMessage } from '@lingui/message-utils/compileMessage';
import type { Plugin } from 'vite';

export type Written = { [name: string]: string };

export function messages(): Plugin {
  return {
    name: 'messages',
    enforce: 'pre',
    transform: {
      filter: { id: /\/i18n\/[a-z]{2}\.json$/ },
      handler(code, id) {
        if (basename(dirname(id)) !== 'i18n') return null;
        const compiled = compile(JSON.parse(code) as Written);
        return { code: `export default ${JSON.stringify(compiled)};`, map: null, moduleType: 'js' };
      },
    },
  };
}

/** Compile messages; one that is not ICU is an error that names it. */
export function compile(written: Written): { [name: string]: CompiledMessage } {
  return Object.fromEntries(
    Object.entries(written).map(([name, text]) => {
      const tokens = compileMessage(text);
      // The compiler gives what it cannot read back as it is.
      const isRead = !/[{}]/.test(text) || tokens.some((token) => typeof token !== 'string');
      if (!isRead) throw new Error(`${name}: this is no ICU message: ${text}`);
      return [name, tokens];
    }),
  );
}

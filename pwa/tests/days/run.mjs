// Runs a program of this folder with the Node that is there: `node tests/days/run.mjs days < plan`.
import 'fake-indexeddb/auto';

import { runnerImport } from 'vite';

const program = new URL(`${process.argv[2]}.ts`, import.meta.url).pathname;
await runnerImport(program, { configFile: false, logLevel: 'warn' });

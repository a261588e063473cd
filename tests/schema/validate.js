// SPDX-License-Identifier: Apache-2.0
// usage: node validate.js SCHEMA [FILE...]
// Compiles the schema in ajv's strict mode, and validates every line of the files by it. Says what
// is wrong, at most ten times, and exits with 1.
'use strict';

const fs = require('fs');
const Ajv = require('ajv/dist/2020');

const [schema, ...files] = process.argv.slice(2);
const longestLine = 4096;
const valid = new Ajv({ strict: true }).compile(JSON.parse(fs.readFileSync(schema, 'utf8')));
const types = new Map(); // of each key
let lines = 0;
let wrong = 0;

function complain(what, line) {
  if (++wrong <= 10) console.log(`${what}\n  in: ${line}`);
}

function typeOf(value) {
  return Array.isArray(value) ? 'array' : typeof value;
}

function noteTypes(value, path, line) {
  const type = typeOf(value);
  if (types.has(path) && types.get(path) !== type) complain(`${path} has two types`, line);
  types.set(path, type);
  if (type === 'object')
    for (const [key, below] of Object.entries(value)) noteTypes(below, `${path}.${key}`, line);
}

for (const file of files) {
  for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
    if (!line) continue;
    ++lines;
    if (Buffer.byteLength(line) >= longestLine && schema.includes('-event-'))
      complain('longer than 4 KiB', line);
    const record = JSON.parse(line);
    noteTypes(record, '', line);
    if (!valid(record)) complain(JSON.stringify(valid.errors[valid.errors.length - 1]), line);
  }
}
if (files.length && !lines) complain('no line at all', files.join(' '));
console.log(`${schema}: ${lines} lines, ${wrong} wrong`);
process.exit(wrong ? 1 : 0);

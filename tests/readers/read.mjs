// Reads documents for the tests: one JSON object a line in, one a line out.
// {"text": yaml} -> {"js-yaml 3": value, "js-yaml 4": value, "yaml 2": value}; {"dump": value} -> {"text": yaml}
import { createInterface } from "node:readline";
import yaml3 from "js-yaml3";
import { load as load4 } from "js-yaml4";
import { parse as parse2 } from "yaml";

const readers = {
  "js-yaml 3": (text) => yaml3.safeLoad(text),
  "js-yaml 4": (text) => load4(text),
  "yaml 2": (text) => parse2(text),
};

function answer({ text, dump }) {
  if (dump !== undefined) return { text: yaml3.safeDump(dump, { lineWidth: -1 }) };
  const read = (reader) => {
    try {
      return reader(text);
    } catch (error) {
      return `ERROR: ${error.message}`;
    }
  };
  return Object.fromEntries(Object.entries(readers).map(([name, reader]) => [name, read(reader)]));
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + "\n");
}

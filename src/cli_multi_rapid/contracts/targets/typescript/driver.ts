// Reads documents from standard input, and writes for each the document again, or why not.
// A request is the number of its bytes, a newline, and the bytes; an answer is a line "OK json" or "ERR place\treason".

import { readFileSync, writeSync } from "node:fs";
import { pathToFileURL } from "node:url";

import { ContractError } from "./cmr_json.ts";

const [, , file = "", name = ""] = process.argv;
const generated = await import(pathToFileURL(file).href);
const input = readFileSync(0);
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function send(line: string): void {
  const bytes = Buffer.from(`${line}\n`, "utf-8");
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
}

function shown(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, "?");
}

for (let at = 0; at < input.length; ) {
  const end = input.indexOf(10, at);
  const size = Number(input.toString("latin1", at, end));
  at = end + 1 + size;
  let text: string;
  try {
    text = utf8.decode(input.subarray(end + 1, at));
  } catch {
    send("ERR #\tthis is not UTF-8");
    continue;
  }
  let value: unknown;
  try {
    value = generated[`parse${name}`](text);
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    const place = error.line === undefined ? "" : ` line ${error.line} column ${error.column}`;
    send(`ERR #${shown(error.pointer)}${place}\t${shown(error.reason)}`);
    continue;
  }
  send(`OK ${generated[`stringify${name}`](value)}`); // what was read can be written, or the generator has a bug
}

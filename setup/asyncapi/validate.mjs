// Reads an AsyncAPI document from standard input; prints its faults and exits 1 if the official parser finds any.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const { document, diagnostics } = await new Parser().parse(readFileSync(0, "utf8"));
const faults = diagnostics.filter(({ severity }) => severity === 0);
for (const { path, message } of faults) {
  console.log(`${path.join(".")}: ${message}`);
}
process.exit(document && faults.length === 0 ? 0 : 1);

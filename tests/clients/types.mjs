// GraphQL Code Generator: types of the served schema, on which a strict front end compiles.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

import { codegen } from "@graphql-codegen/core";
import * as documents from "@graphql-codegen/typed-document-node";
import * as types from "@graphql-codegen/typescript";
import * as operations from "@graphql-codegen/typescript-operations";
import { parse } from "graphql";

import { schema, tell } from "./served.mjs";

const here = import.meta.dirname;
const config = {
  strictScalars: true,
  scalars: { Date: "string", DateTime: "string", Decimal: "string", JSON: "unknown" },
  enumsAsTypes: true,
  useTypeImports: true,
};
const STRICT = ["--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes"];
const MODULES = ["--module", "nodenext", "--target", "es2022", "--noEmit"];

const generated = await codegen({
  filename: "generated.ts",
  schema: parse(await schema()),
  documents: [{ document: parse(readFileSync(path.join(here, "front/offers.graphql"), "utf8")) }],
  config,
  plugins: [{ types: {} }, { operations: {} }, { documents: {} }],
  pluginMap: { types, operations, documents },
});

// Inside node_modules, where the compiler finds the packages that are imported.
const cache = path.join(here, "node_modules", ".cache");
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(path.join(cache, "front-"));
try {
  writeFileSync(path.join(folder, "package.json"), '{"type": "module"}');
  writeFileSync(path.join(folder, "generated.ts"), generated);
  cpSync(path.join(here, "front/offers.ts"), path.join(folder, "offers.ts"));
  const compiler = path.join(here, "node_modules/typescript/bin/tsc");
  const done = spawnSync("node", [compiler, ...STRICT, ...MODULES, "offers.ts"], {
    cwd: folder,
    encoding: "utf8",
  });
  tell({ status: done.status, faults: done.stdout, lines: generated.split("\n").length > 100 });
} finally {
  rmSync(folder, { recursive: true });
}

// SPDX-License-Identifier: Apache-2.0
// Makes api.mjs and api.d.mts from openapi.json:  curl .../api/v1/openapi.json | node generate.mjs [FOLDER]
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HEAD = "// SPDX-License-Identifier: Apache-2.0\n// Made by generate.mjs from openapi.json; not written by hand.\n";

function typeOf(schema) {
  if (schema.$ref) {
    return schema.$ref.split("/").pop();
  }
  if (schema.enum) {
    return schema.enum.map((v) => JSON.stringify(v)).join(" | ");
  }
  const kinds = [].concat(schema.type).map((kind) => {
    switch (kind) {
      case "integer":
      case "number":
        return "number";
      case "array": {
        const of = typeOf(schema.items);
        return of.includes(" ") ? `(${of})[]` : `${of}[]`;
      }
      case "object":
        return "Record<string, unknown>";
      default:
        return kind;
    }
  });
  return kinds.join(" | ");
}

function member(name, schema, required, indent) {
  const text = schema.description ? `${indent}/** ${schema.description} */\n` : "";
  return `${text}${indent}${JSON.stringify(name).slice(1, -1)}${required ? "" : "?"}: ${typeOf(schema)};\n`;
}

/** [text of api.mjs, text of api.d.mts] */
export function generate(document) {
  let table = `${HEAD}export const operations = {\n`;
  let types = HEAD;
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    types += `\nexport interface ${name} {\n`;
    for (const [key, one] of Object.entries(schema.properties)) {
      types += member(key, one, schema.required.includes(key), "  ");
    }
    types += schema.additionalProperties ? "  [more: string]: unknown;\n}\n" : "}\n";
  }
  types += "\n/** The calls: what they take and what they answer. */\nexport interface Operations {\n";
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const answer = operation.responses["200"].content;
      const events = "text/event-stream" in answer;
      const gives = "application/octet-stream" in answer;
      const brings = "application/octet-stream" in (operation.requestBody?.content ?? {});
      const query = operation.parameters.filter((p) => p.in === "query").map((p) => p.name);
      const body = operation.requestBody?.content["application/json"]?.schema;
      const takes = ["key", "resumed", "since"].filter((name) => events && (query.includes(name) || name in (body?.properties ?? {})));
      table += `  ${JSON.stringify(operation.operationId)}: ${JSON.stringify({ method: method.toUpperCase(), path, query, events, takes, brings, gives })},\n`;
      types += `  /** ${operation.summary} (${operation["x-role"]}) */\n  ${JSON.stringify(operation.operationId)}: {\n    params: {\n`;
      for (const p of operation.parameters) {
        types += member(p.name, { ...p.schema, description: p.description }, p.required, "      ");
      }
      for (const [name, schema] of Object.entries(body?.properties ?? {})) {
        types += member(name, schema, body.required.includes(name), "      ");
      }
      types += brings ? "      /** what is brought, as the body of fetch() takes it */\n      content: Blob | ArrayBuffer | ArrayBufferView;\n" : "";
      types += `    };\n    answer: ${gives ? "ArrayBuffer" : typeOf(answer["application/json"].schema)};\n    events: ${events};\n  };\n`;
    }
  }
  return [`${table}};\n`, `${types}}\n\nexport const operations: { [O in keyof Operations]: { method: string; path: string; query: string[]; events: boolean; takes: string[]; brings: boolean; gives: boolean } };\n`];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? dirname(fileURLToPath(import.meta.url));
  const [table, types] = generate(JSON.parse(readFileSync(0, "utf8")));
  writeFileSync(join(folder, "api.mjs"), table);
  writeFileSync(join(folder, "api.d.mts"), types);
}

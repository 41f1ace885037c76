// Relay: its compiler reads the served schema, its store pages through quotes. Prints what it saw.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

import compiler from "relay-compiler";
import relay from "relay-runtime";

import { cars, headers, schema, tell, url } from "./served.mjs";

const { ConnectionHandler, Environment, Network, RecordSource, Store } = relay;
const { commitMutation, createOperationDescriptor, fetchQuery } = relay;

const SOURCE = `
graphql\`
  query pagesQuery($count: Int!, $cursor: String) {
    quotes(first: $count, after: $cursor) @connection(key: "pages_quotes") {
      edges { node { id price { amount currency } } }
    }
  }
\`;
graphql\`
  mutation pagesQuoteMutation($input: CreateQuotesInput!) {
    createQuotes(input: $input) { quotes { id } userErrors { code } }
  }
\`;
graphql\`
  query pagesNodeQuery($id: ID!) {
    node(id: $id) { __typename id ... on Quote { createdBy } }
  }
\`;
`;

// Inside node_modules, where what the compiler writes finds relay-runtime.
const cache = path.join(import.meta.dirname, "node_modules", ".cache");
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(path.join(cache, "relay-"));

async function compiled() {
  mkdirSync(path.join(folder, "src", "__generated__"), { recursive: true });
  writeFileSync(path.join(folder, "package.json"), '{"type": "module"}');
  writeFileSync(path.join(folder, "schema.graphql"), await schema());
  writeFileSync(path.join(folder, "src", "pages.js"), SOURCE);
  writeFileSync(
    path.join(folder, "relay.config.json"),
    JSON.stringify({
      src: "./src",
      schema: "./schema.graphql",
      language: "javascript",
      eagerEsModules: true,
      excludes: [],
      artifactDirectory: "./src/__generated__",
    })
  );
  const done = spawnSync(compiler, ["relay.config.json"], { cwd: folder, encoding: "utf8" });
  if (done.status !== 0) throw new Error(done.stdout + done.stderr);
  const artifact = async (name) => {
    const file = path.join(folder, "src", "__generated__", `${name}.graphql.js`);
    return (await import(pathToFileURL(file))).default;
  };
  return {
    pages: await artifact("pagesQuery"),
    quote: await artifact("pagesQuoteMutation"),
    node: await artifact("pagesNodeQuery"),
  };
}

async function send({ text }, variables) {
  const response = await fetch(url, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify({ query: text, variables }),
  });
  return response.json();
}

function quoted(environment, mutation, count) {
  const variables = { input: { market: "FR", vehicles: cars(count) } };
  return new Promise((onCompleted, onError) =>
    commitMutation(environment, { mutation, variables, onCompleted, onError })
  );
}

// What the store holds of the connection after each page: Relay adds the new edges to the old.
function connectionIn(environment) {
  let seen;
  environment.commitUpdate((store) => {
    const connection = ConnectionHandler.getConnection(store.getRoot(), "pages_quotes");
    const info = connection.getLinkedRecord("pageInfo");
    seen = {
      ids: connection.getLinkedRecords("edges").map((edge) => edge.getLinkedRecord("node").getDataID()),
      hasNextPage: info.getValue("hasNextPage"),
      endCursor: info.getValue("endCursor"),
    };
  });
  return seen;
}

async function paged(environment, query) {
  environment.retain(createOperationDescriptor(query, { count: 3 }));
  const sizes = [];
  let cursor = null;
  for (;;) {
    await fetchQuery(environment, query, { count: 3, cursor }).toPromise();
    const { ids, hasNextPage, endCursor } = connectionIn(environment);
    sizes.push(ids.length);
    if (!hasNextPage) return { sizes, different: new Set(ids).size };
    cursor = endCursor;
  }
}

try {
  const artifacts = await compiled();
  const environment = new Environment({
    network: Network.create(send),
    store: new Store(new RecordSource()),
  });
  const { createQuotes } = await quoted(environment, artifacts.quote, 7);
  const id = createQuotes.quotes[0].id;
  const { node } = await fetchQuery(environment, artifacts.node, { id }).toPromise();
  tell({
    quoted: createQuotes.quotes.length,
    node: [node.__typename, node.id === id, node.createdBy],
    paged: await paged(environment, artifacts.pages),
  });
} finally {
  rmSync(folder, { recursive: true });
}

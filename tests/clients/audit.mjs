// The 61 audits of graphql-http against a server: node audit.mjs URL KEY
import { serverAudits } from "graphql-http";

const [url, key] = process.argv.slice(2);

const results = [];
for (const audit of serverAudits({
  url,
  fetchFn: (input, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${key}`);
    return fetch(input, { ...init, headers });
  },
})) {
  const { id, name, status, reason } = await audit.fn();
  results.push({ id, name, status, reason });
}
console.log(JSON.stringify(results));

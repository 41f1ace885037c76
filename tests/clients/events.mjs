// The graphql-sse client against a server: node events.mjs URL KEY. Prints what it saw, as JSON.
import { createClient } from "graphql-sse";

const [url, key] = process.argv.slice(2);
const client = createClient({ url, headers: { authorization: `Bearer ${key}` } });

const counted = [];
for await (const result of client.iterate({ query: "subscription { count(to: 3) }" })) {
  counted.push(result.data.count);
}
const answers = [];
for await (const result of client.iterate({ query: "{ hello }" })) {
  answers.push(result.data.hello);
}
console.log(JSON.stringify({ counted, answers }));
client.dispose();

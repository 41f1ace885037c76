// The server under test, from the command line: node CLIENT.mjs URL KEY.
import { buildClientSchema, getIntrospectionQuery, printSchema } from "graphql";

export const [url, key] = process.argv.slice(2);
export const headers = { authorization: `Bearer ${key}` };

export const CAR = { brand: "Peugeot", model: "208", releaseYear: 2021, fuel: "essence" };

export const cars = (count) =>
  Array.from({ length: count }, (_, n) => ({ ...CAR, mileageKm: 10000 + 1000 * n }));

export async function ask(query, variables = {}) {
  const response = await fetch(url, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

export async function schema() {
  return printSchema(buildClientSchema(await ask(getIntrospectionQuery())));
}

export const tell = (seen) => console.log(JSON.stringify(seen));

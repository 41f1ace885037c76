// urql against the server, its subscriptions over graphql-ws. Prints what it saw.
import { Client, cacheExchange, fetchExchange, gql, subscriptionExchange } from "@urql/core";
import { createClient } from "graphql-ws";
import WebSocket from "ws";

import { cars, headers, tell, url } from "./served.mjs";

const socket = createClient({
  url: url.replace(/^http/, "ws"),
  webSocketImpl: WebSocket,
  connectionParams: headers,
});
const client = new Client({
  url,
  preferGetMethod: false,
  fetchOptions: { headers },
  exchanges: [
    cacheExchange,
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: ({ query, variables }) => ({
        subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink) }),
      }),
    }),
  ],
});

const QUOTE = gql`
  mutation ($input: CreateQuotesInput!) {
    createQuotes(input: $input) { quotes { price { amount } } userErrors { code } }
  }
`;

async function quotes() {
  const input = { market: "FR", vehicles: cars(2) };
  const { data, error } = await client.mutation(QUOTE, { input }).toPromise();
  return [error ?? null, data.createQuotes.quotes.length, data.createQuotes.userErrors];
}

async function counts() {
  const { data } = await client.query("{ quotes { totalCount } }", {}).toPromise();
  return data.quotes.totalCount;
}

async function queriesWithGet() {
  const { data } = await client
    .query("{ viewer { name } }", {}, { preferGetMethod: "force" })
    .toPromise();
  return data.viewer.name;
}

async function tellsErrors() {
  const { error } = await client.query("{ nothing }", {}).toPromise();
  return error.graphQLErrors[0].extensions.code;
}

function subscribes() {
  const pricing = gql`
    subscription { pricingChanged(market: "FR") { code championModel { number } } }
  `;
  return new Promise((resolve) => {
    const { unsubscribe } = client.subscription(pricing, {}).subscribe(({ data, error }) => {
      resolve(error?.message ?? data.pricingChanged);
      setTimeout(() => unsubscribe());
    });
  });
}

tell({
  quotes: await quotes(),
  counted: await counts(),
  byGet: await queriesWithGet(),
  error: await tellsErrors(),
  subscribed: await subscribes(),
});
await socket.dispose();

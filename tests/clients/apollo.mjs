// Apollo Client against the server. Prints what it saw.
import { createHash } from "node:crypto";

import { ApolloClient, ApolloLink, CombinedGraphQLErrors, gql } from "@apollo/client";
import { HttpLink, InMemoryCache } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { relayStylePagination } from "@apollo/client/utilities";

import { cars, headers, tell, url } from "./served.mjs";

const cache = () =>
  new InMemoryCache({
    typePolicies: { Query: { fields: { quotes: relayStylePagination() } } },
  });
const client = new ApolloClient({ link: new HttpLink({ uri: url, headers }), cache: cache() });

const QUOTE = gql`
  mutation ($input: CreateQuotesInput!) {
    createQuotes(input: $input) {
      quotes { id price { amount currency } }
      userErrors { code field }
    }
  }
`;
const PAGE = gql`
  query ($after: String) {
    quotes(first: 3, after: $after) {
      edges { cursor node { id price { amount } } }
      pageInfo { hasNextPage endCursor }
    }
  }
`;

async function quotes() {
  const vehicles = [...cars(7), { ...cars(1)[0], fuel: "plutonium" }];
  const { data } = await client.mutate({
    mutation: QUOTE,
    variables: { input: { market: "FR", vehicles } },
  });
  const { quotes, userErrors } = data.createQuotes;
  return [quotes.filter(Boolean).length, quotes[7], userErrors.map((each) => each.field)];
}

// What the cache holds of the list after each page: the policy adds the new edges to the old.
async function pages() {
  const query = client.watchQuery({ query: PAGE });
  const watching = query.subscribe(() => {});
  await query.refetch();
  const sizes = [];
  for (;;) {
    const { edges, pageInfo } = client.readQuery({ query: PAGE }).quotes;
    sizes.push(edges.length);
    if (!pageInfo.hasNextPage) break;
    await query.fetchMore({ variables: { after: pageInfo.endCursor } });
  }
  watching.unsubscribe();
  return sizes;
}

async function tellsErrors() {
  const codes = [];
  for (const text of ["{ nothing }", "{ auditEvents { totalCount } }"]) {
    try {
      await client.query({ query: gql(text) });
    } catch (error) {
      codes.push(CombinedGraphQLErrors.is(error) && error.errors[0].extensions.code);
    }
  }
  return codes;
}

// Sends the hash; where the server does not know it, once more with the text.
async function persists() {
  const sent = [];
  const spy = new ApolloLink((operation, forward) => {
    const { includeQuery } = operation.getContext().http ?? {};
    sent.push(includeQuery ? "text" : "hash");
    return forward(operation);
  });
  const sha256 = (text) => createHash("sha256").update(text).digest("hex");
  const link = ApolloLink.from([
    new PersistedQueryLink({ sha256 }),
    spy,
    new HttpLink({ uri: url, headers }),
  ]);
  const names = [];
  for (let n = 0; n < 2; n++) {
    const persisting = new ApolloClient({ link, cache: cache() });
    const { data } = await persisting.query({ query: gql("query Persisted { viewer { name } }") });
    names.push(data.viewer.name);
  }
  return { sent, names };
}

tell({
  quotes: await quotes(),
  pages: await pages(),
  errors: await tellsErrors(),
  persists: await persists(),
});
client.stop();

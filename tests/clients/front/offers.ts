// What a front end writes on top of the generated types; it only has to compile, strictly.
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";

import { OfferDocument, StrangerDocument } from "./generated.js";
import type { OfferMutation, UserErrorCode } from "./generated.js";

declare function ask<Data, Variables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables
): Promise<Data>;

const SPOKEN: Partial<Record<UserErrorCode, string>> = {
  NO_MATCH: "Which car is it?",
  AMBIGUOUS_MATCH: "Which of these is it?",
};

export async function offer(model: string): Promise<string> {
  const vehicles = [
    { brand: "Peugeot", model, releaseYear: 2021, fuel: "essence", mileageKm: 42_000 },
  ];
  const { createQuotes } = await ask(OfferDocument, { input: { market: "FR", vehicles } });
  const [quote] = createQuotes.quotes;
  if (!quote) {
    return createQuotes.userErrors.map((error) => SPOKEN[error.code] ?? error.message).join(" ");
  }
  const amount: string = quote.price.amount;
  return `${amount} ${quote.price.currency} until ${quote.createdAt.slice(0, 10)}`;
}

export async function kind(id: string): Promise<string> {
  const { node } = await ask(StrangerDocument, { id });
  switch (node?.__typename) {
    case "ModelVersion":
      return `${node.algorithm} ${node.number}`;
    case "Quote":
      return node.price.amount;
    default:
      return "nothing that we know";
  }
}

export function faults(data: OfferMutation): void {
  const [quote] = data.createQuotes.quotes;
  // @ts-expect-error A vehicle that was refused has no quote.
  quote.price;
  // @ts-expect-error Amounts are exact text: nothing may be added to them by accident.
  const more: number = data.createQuotes.quotes[0]?.price.amount;
  // @ts-expect-error A market is needed.
  void ask(OfferDocument, { input: { vehicles: [] } });
  void more;
}

"""Learning market prices and estimating them: no GraphQL, no HTTP, no environment."""

"""The business of pricing used vehicles: no GraphQL, no HTTP, no scikit-learn."""

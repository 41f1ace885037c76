"""The outside of Forecourt: GraphQL, HTTP, command line and worker."""

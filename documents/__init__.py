"""The documents that others generate code from: OpenAPI, AsyncAPI and JSON Schemas, made from the schemas."""

"""The shapes of the API, in and out, a file for each resource; OpenAPI is generated from them."""

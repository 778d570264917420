"""The API's document: OpenAPI 3.1, made from the routes, their rules, and pydantic models."""

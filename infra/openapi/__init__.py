"""The API's description (OpenAPI 3.1), built from the code: its words, limits and models."""

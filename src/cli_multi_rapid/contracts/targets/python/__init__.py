"""Python: Pydantic models that validate by the schema, or plain TypedDict classes."""

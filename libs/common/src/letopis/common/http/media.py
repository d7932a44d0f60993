"""Answers that are no JSON, so that the service's document names what they are."""

from fastapi import Response


def media(kind: str) -> type[Response]:
    """For `response_class=`: an answer of this media type, made by the endpoint itself."""
    return type("Answer", (Response,), {"media_type": kind})

"""What others may rely on, as documents: OpenAPI of the doors, AsyncAPI of the news, and what a change breaks."""

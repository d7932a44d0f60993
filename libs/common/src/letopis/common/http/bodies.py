"""Request bodies: an unknown field is a mistake that is told, not dropped."""

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """What every body of a command derives from; a misspelt field is a 422 that names it."""

    model_config = ConfigDict(extra="forbid")

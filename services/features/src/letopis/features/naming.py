"""Shapes of names that callers give."""

from typing import Annotated

from fastapi import Path
from pydantic import Field

# Names that stand in SQL: sources and entities' keys.
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Title = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(max_length=4000)]
# A version of a view or a bundle, or any id of ours in an address.
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$")]

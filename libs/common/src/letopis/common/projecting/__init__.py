"""Read models: keyed folds over facts, kept in schemas that can be dropped and built again at any time."""

from letopis.common.projecting.projector import Projector
from letopis.common.projecting.reader import ViewReader
from letopis.common.projecting.rows import Rows
from letopis.common.projecting.told import Told
from letopis.common.projecting.view import View

__all__ = ["Projector", "Rows", "Told", "View", "ViewReader"]

"""Ledgers read in order: one's own from the store, another's from its news and its owner's door."""

from letopis.common.following.news import News
from letopis.common.following.source import OwnLedger, Source

__all__ = ["News", "OwnLedger", "Source"]

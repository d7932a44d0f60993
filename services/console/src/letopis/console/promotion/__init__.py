"""Promotions as approvers read and sign them."""

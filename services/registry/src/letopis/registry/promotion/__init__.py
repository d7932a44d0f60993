"""From a request to production: evidence by tier, four eyes, signed approvals."""

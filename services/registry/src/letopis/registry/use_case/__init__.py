"""Why a model may exist: goal, owner, decision domain and the risk tier that follows."""

"""From an idea to a retired model: complete, signed versions, justified by evidence, approved by distinct people."""

"""What inputs promise: fields, types, nulls, levels."""

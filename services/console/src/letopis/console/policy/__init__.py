"""Policy: what is in force, forms that draft changes of it, their rehearsal, and the publication."""

"""Planning: from permitted moves to ordered, priced, bounded legs."""

"""Decision: from targets to moves, and the advisor's seat."""

"""Feeds: recorded history and live public sources, all saying what they know and since when."""

"""Policy: the mandate, and the one door between what was proposed and what may happen."""

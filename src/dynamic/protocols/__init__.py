"""Protocols, without I/O: the fixed-point maths and, later, the calls and logs of each contract."""

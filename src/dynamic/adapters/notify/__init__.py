"""Notify: where alerts reach people."""

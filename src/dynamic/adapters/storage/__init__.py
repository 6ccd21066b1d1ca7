"""Storage: one durable memory, on SQLite (a file, no server) or PostgreSQL, with one history.

    Database      where it is and how it is spoken to        (database.py)
    SqlStore      the single writer behind ports.Store       (store.py)
    GroupCommit   many batches in one transaction, for replay (group.py)
    ReadStore     the questions of API and CLI               (reader.py)
    RequestKeys   idempotency keys of requests               (request_keys.py)

Nothing is imported here, so that naming the package loads no database driver.
"""

"""App: what people touch. CLI, API and dashboard; the SDK's first customers."""

"""The service on port 8600: questions and commands over HTTP, for programs."""
